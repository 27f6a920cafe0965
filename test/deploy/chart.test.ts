import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { EnvSchema, loadConfig } from '../../src/config.ts';
import { CLOSE_MS } from '../../src/http/draining.ts';
import { SECRET_SETTINGS, withSettingsList, withSettingsSchema } from '../../scripts/chart-settings.ts';
import { CHART_COPIES } from '../../scripts/deploy-files.ts';

const root = new URL('../../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');
const CHART = 'deploy/helm/general-ocr';

/** What is killed is killed this long after the service should be gone. */
const KILL_AFTER_SECONDS = CLOSE_MS / 1000 + 5;

/** The parts of the plain manifests that are looked at here. */
interface Container {
  readonly securityContext: object;
  readonly resources: Record<'requests' | 'limits', { cpu: number; memory: string }>;
  readonly lifecycle: { preStop: { exec: { command: [string, string] } } };
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly [Container];
}
interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

async function podSpec(): Promise<PodSpec> {
  const documents = parseAllDocuments(await text('deploy/kubernetes/general-ocr.yaml'));
  const deployment = documents.map((one) => one.toJS() as Manifest | null).find((one) => one?.kind === 'Deployment');
  if (deployment === undefined || deployment === null) throw new Error('the plain manifests have no Deployment');
  return deployment.spec.template.spec;
}

t.test('values and their schema have every setting of src/config.ts (npm run settings-docs writes them)', async (t) => {
  const values = await text(`${CHART}/values.yaml`);
  t.equal(values, withSettingsList(values));
  const schema = await text(`${CHART}/values.schema.json`);
  t.equal(schema, withSettingsSchema(schema));
  const { config } = (JSON.parse(schema) as { properties: { config: { properties: object } } }).properties;
  for (const name of Object.keys(EnvSchema.properties)) {
    const passed = SECRET_SETTINGS.includes(name)
      ? (await text(`${CHART}/templates/_helpers.tpl`)).includes(`- name: ${name}\n  valueFrom:\n    secretKeyRef:`)
      : name in config.properties && values.includes(`\n#   ${name}: `);
    t.ok(passed, name);
  }
});

t.test('every top value of the schema is in values.yaml, and the other way round', async (t) => {
  const schema = JSON.parse(await text(`${CHART}/values.schema.json`)) as { properties: object };
  const values = parse(await text(`${CHART}/values.yaml`)) as object;
  t.strictSame(
    Object.keys(values).sort(),
    Object.keys(schema.properties)
      .filter((name) => name !== 'global')
      .sort(),
  );
});

t.test('the chart has the version of the service', async (t) => {
  const chart = parse(await text(`${CHART}/Chart.yaml`)) as { version: string; appVersion: string };
  t.match(chart, { version: packageJson.version, appVersion: packageJson.version });
});

t.test('Kubernetes, systemd and compose wait as long as the service drains', async (t) => {
  const { terminationGracePeriodSeconds, containers } = await podSpec();
  const [command, seconds] = containers[0].lifecycle.preStop.exec.command;
  t.equal(command, 'sleep');
  t.equal(terminationGracePeriodSeconds, Number(seconds) + KILL_AFTER_SECONDS);
  t.match(await text('deploy/systemd/general-ocr.service'), `\nTimeoutStopSec=${KILL_AFTER_SECONDS}\n`);
  t.match(await text('docker-compose.yml'), `\n    stop_grace_period: ${KILL_AFTER_SECONDS}s\n`);
});

t.test('the memory limit holds what the settings allow', async (t) => {
  const { limits, requests } = (await podSpec()).containers[0].resources;
  t.equal(limits.cpu, requests.cpu, 'an engine process for each CPU that it surely gets');
  // One process more during a replacement; 600 MiB for the server process (docs/robustness.md).
  const needed = (limits.cpu + 1) * loadConfig({}).OCR_ENGINE_MEMORY_MB + 600;
  t.ok(Number(/^(\d+)Gi$/.exec(limits.memory)?.[1]) * 1024 >= needed, `${limits.memory} >= ${needed}Mi`);
});

t.test('the pod needs nothing', async (t) => {
  const pod = await podSpec();
  t.equal(pod.automountServiceAccountToken, false);
  t.match(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  t.strictSame(pod.containers[0].securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

t.test('the files that the chart carries are the ones they were copied from (npm run deploy-files)', async (t) => {
  for (const [copy, original] of Object.entries(CHART_COPIES)) {
    t.equal(await readFile(copy, 'utf8'), await readFile(original, 'utf8'), copy.slice(-20));
  }
});
