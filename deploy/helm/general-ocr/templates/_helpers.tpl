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

{{/* What the pods of the server and of the workers share, beside their containers. */}}
{{- define "general-ocr.pod" -}}
serviceAccountName: {{ include "general-ocr.serviceAccountName" . }}
# It never talks to the Kubernetes API.
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "general-ocr.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  # The service writes nothing; libraries may want to.
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What their containers share; environment and probes are by themselves. */}}
{{- define "general-ocr.container" -}}
image: {{ include "general-ocr.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "general-ocr.securityContext" . | nindent 2 }}
{{- if or .Values.s3.existingSecret .Values.extraEnvFrom }}
envFrom:
  {{- with .Values.s3.existingSecret }}
  - secretRef:
      name: {{ . }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Probes of a container. Of a dict: "port", the name of the port that answers, and "probes", the times of the values. */}}
{{- define "general-ocr.probes" -}}
# Started is what listens; what can read is ready.
startupProbe:
  httpGet: { path: /health/live, port: {{ .port }} }
  {{- toYaml .probes.startup | nindent 2 }}
readinessProbe:
  httpGet: { path: /health/ready, port: {{ .port }} }
  {{- toYaml .probes.readiness | nindent 2 }}
livenessProbe:
  httpGet: { path: /health/live, port: {{ .port }} }
  {{- toYaml .probes.liveness | nindent 2 }}
{{- end }}

{{/* Over the nodes as evenly as they allow. Of the labels of the pods, as text. */}}
{{- define "general-ocr.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- . | nindent 6 }}
{{- end }}
