{{- define "general-ocr.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "general-ocr.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "general-ocr.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "general-ocr.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "general-ocr.selectorLabels" -}}
app.kubernetes.io/name: {{ include "general-ocr.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "general-ocr.labels" -}}
{{ include "general-ocr.selectorLabels" . }}
{{ include "general-ocr.commonLabels" . }}
{{- end }}

{{- define "general-ocr.workerLabels" -}}
app.kubernetes.io/name: {{ include "general-ocr.name" . }}-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "general-ocr.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "general-ocr.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "general-ocr.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "general-ocr.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "general-ocr.port" -}}
{{- .Values.config.PORT | default 8080 | int64 -}}
{{- end }}

{{- define "general-ocr.workerPort" -}}
{{- .Values.config.OCR_WORKER_PORT | default 8080 | int64 -}}
{{- end }}

{{/* A number of the values as digits: Helm reads 52428800 as a float and would write 5.24288e+07. */}}
{{- define "general-ocr.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end }}

{{/* Secret with the keys: the one that is there, or ours; empty without keys. */}}
{{- define "general-ocr.apiKeysSecret" -}}
{{- if .Values.apiKeys.existingSecret -}}
{{ .Values.apiKeys.existingSecret }}
{{- else if .Values.apiKeys.values -}}
{{ include "general-ocr.fullname" . }}-api-keys
{{- end -}}
{{- end }}

{{- define "general-ocr.apiKeysSecretKey" -}}
{{- if .Values.apiKeys.existingSecret -}}
{{ .Values.apiKeys.existingSecretKey }}
{{- else -}}
OCR_API_KEYS
{{- end -}}
{{- end }}

{{- define "general-ocr.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* 1000 is the user `node` of the image. */}}
{{- define "general-ocr.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Environment of the container: settings, number of engine processes, keys. */}}
{{- define "general-ocr.env" -}}
{{- $limits := .Values.resources.limits | default dict }}
{{- $requests := .Values.resources.requests | default dict }}
{{- $processes := .Values.config.OCR_ENGINE_PROCESSES | default 0 | int64 }}
{{- if and (eq $processes 0) (not $limits.cpu) (not $requests.cpu) }}
{{- fail "Set resources.limits.cpu, resources.requests.cpu or config.OCR_ENGINE_PROCESSES: the engine would start a process for each CPU of the node otherwise." }}
{{- end }}
{{- $fromRequest := and (eq $processes 0) (not $limits.cpu) }}
{{- range $name, $value := .Values.config }}
{{- if not (and $fromRequest (eq $name "OCR_ENGINE_PROCESSES")) }}
- name: {{ $name }}
  value: {{ include "general-ocr.scalar" $value | quote }}
{{- end }}
{{- end }}
{{- if $fromRequest }}
# Without a limit the service would count the CPUs of the node.
- name: OCR_ENGINE_PROCESSES
  valueFrom:
    resourceFieldRef:
      containerName: general-ocr
      resource: requests.cpu
      divisor: '1'
{{- end }}
{{- with include "general-ocr.apiKeysSecret" . }}
- name: OCR_API_KEYS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ include "general-ocr.apiKeysSecretKey" $ }}
{{- end }}
{{- with .Values.jobs.existingSecret }}
- name: OCR_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: OCR_REDIS_URL
- name: OCR_JOBS_WEBHOOK_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: OCR_JOBS_WEBHOOK_SECRET
      optional: true
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
