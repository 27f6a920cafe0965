/**
 * Writes what in deploy/ is made from other files of it (`npm run deploy-files`): the chart's copies of alerts and dashboard,
 * and the plain manifests for those without Helm. HELM names the client (default `helm`).
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DEPLOY = fileURLToPath(new URL('../deploy/', import.meta.url));

export const CHART = `${DEPLOY}helm/general-ocr`;

/** The newest release when the chart was written; `helm` built from source would assume 1.20, which is older than it takes. */
export const KUBERNETES_VERSION = '1.34.0';

/** What a chart can only take from its own folder -> where it is kept. */
export const CHART_COPIES = {
  [`${CHART}/files/alerts.yml`]: `${DEPLOY}observability/alerts.yml`,
  [`${CHART}/files/dashboard.json`]: `${DEPLOY}observability/grafana/dashboard.json`,
};

export const MANIFESTS = `${DEPLOY}kubernetes/general-ocr.yaml`;

const HEADER = `# General OCR for kubectl, made from the Helm chart by \`npm run deploy-files\` with values.yaml beside it.
#
#   kubectl create secret generic general-ocr-api-keys --from-literal=OCR_API_KEYS="$(openssl rand -hex 24)"
#   kubectl apply -f general-ocr.yaml
#
# Set the image to where your cluster finds it; settings (README.md) go into env of the Deployment.
`;

/** Labels that only mean something where Helm keeps the release. */
const OF_HELM = /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;

/** The plain manifests as they have to be. */
export function renderManifests(helm: string): string {
  const args = ['template', 'general-ocr', CHART, '--namespace', 'default', '--kube-version', KUBERNETES_VERSION];
  const rendered = execFileSync(helm, [...args, '--no-hooks', '-f', `${DEPLOY}kubernetes/values.yaml`], {
    encoding: 'utf8',
  });
  const plain = rendered
    .replace(OF_HELM, '')
    .replace(/^# Source: .*\n/gm, '')
    // Left out, so that `kubectl -n` decides.
    .replace(/^ {2}namespace: default\n/gm, '');
  return HEADER + plain;
}

if (import.meta.main) {
  await mkdir(`${CHART}/files`, { recursive: true });
  for (const [copy, original] of Object.entries(CHART_COPIES)) await copyFile(original, copy);
  await writeFile(MANIFESTS, renderManifests(process.env.HELM ?? 'helm'));
}
