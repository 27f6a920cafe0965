/**
 * Checks what is in deploy/ with the tools of those who use it: helm, the Kubernetes schemas, promtool, a real Prometheus
 * that scrapes the real service, nginx, systemd-analyze, actionlint, the schema of CycloneDX.
 *
 *   node test/deploy/deploy-test.ts
 *
 * Installs the tools into TOOLS_DIR (default out/deploy-tools; test/deploy/tools.sh), where they stay. A tool that cannot be
 * had is a failure, not a check less; only systemd-analyze, which comes with the system, is left out and said so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent, request } from 'undici';
import { parse, parseAllDocuments } from 'yaml';
import { SECRET_SETTINGS } from '../../scripts/chart-settings.ts';
import { CHART, KUBERNETES_VERSION, MANIFESTS, renderManifests } from '../../scripts/deploy-files.ts';
import { EnvSchema } from '../../src/config.ts';
import { freePort } from '../free-port.ts';
import { waitFor } from '../robustness/client.ts';
import { startNginx } from '../running-nginx.ts';
import { observeService } from './live-prometheus.ts';

/** The oldest version that Chart.yaml takes and whose schemas are at hand, one in between, and the newest. */
const KUBERNETES_SCHEMAS = ['1.25', '1.31', '1.37'];

/** systemd's own scale from 0 to 10; 2.0 is where it says OK rather than MEDIUM, and little is left to take away. */
const MOST_EXPOSURE = 2;

/** nginx reads on for up to 30 s after an answer (lingering_time). */
const LOG_WITHIN_MS = 40_000;

const root = path.resolve(import.meta.dirname, '../..');
const work = mkdtempSync(path.join(tmpdir(), 'deploy-test-'));
const tools = path.resolve(process.env.TOOLS_DIR ?? path.join(root, 'out/deploy-tools'));
const tool = (name: string): string => path.join(tools, 'bin', name);

let passed = 0;
let failed = 0;
function check(what: string, holds: boolean, otherwise = ''): void {
  process.stdout.write(`${holds ? 'ok' : 'NOT OK'} ${what}\n${holds || otherwise === '' ? '' : `${otherwise}\n`}`);
  if (holds) passed++;
  else failed++;
}

interface Ran {
  readonly ok: boolean;
  readonly out: string;
}
function run(command: string, args: readonly string[], cwd = root): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd });
  return { ok: status === 0, out: error === undefined ? stdout + stderr : error.message };
}
function checkRun(what: string, command: string, args: readonly string[], cwd = root): void {
  const { ok, out } = run(command, args, cwd);
  check(what, ok, out);
}

/** A file of the work folder. */
function temporary(name: string, text: string): string {
  const file = path.join(work, name);
  writeFileSync(file, text);
  return file;
}

const template = (values: readonly string[]): Ran =>
  run(tool('helm'), [
    ...['template', 'ocr', CHART, '--namespace', 'ocr', '--kube-version', KUBERNETES_VERSION],
    ...values.flatMap((file) => ['-f', file]),
  ]);

/** One object that the chart makes, as far as it is looked at. */
interface Made {
  readonly kind: string;
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: Record<string, unknown>;
}
const objects = (yaml: string): Made[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as Made | null)
    .filter((made) => made !== null);

function checkChart(): void {
  const valueFiles = readdirSync(`${CHART}/ci`).map((name) => `${CHART}/ci/${name}`);
  for (const file of ['', ...valueFiles]) {
    const values = file === '' ? [] : [file];
    const name = file === '' ? 'default values' : path.basename(file);
    checkRun(`helm lint: ${name}`, tool('helm'), ['lint', '--strict', CHART, ...values.flatMap((one) => ['-f', one])]);
    const { ok, out } = template(values);
    check(`helm template: ${name}`, ok, out);
    const rendered = temporary('rendered.yaml', out);
    for (const version of KUBERNETES_SCHEMAS) {
      // Kinds of the Prometheus operator have no schema there; checkMonitoring looks at them.
      checkRun(`Kubernetes ${version} schemas: ${name}`, tool('kubernetes-validate'), [
        ...['--strict', '--quiet', '-k', version],
        rendered,
      ]);
    }
  }
  checkRun('Kubernetes schemas: plain manifests', tool('kubernetes-validate'), ['--strict', '--quiet', MANIFESTS]);
  check(
    'the plain manifests are what the chart gives (npm run deploy-files)',
    renderManifests(tool('helm')) === readFileSync(MANIFESTS, 'utf8'),
  );
}

interface SettingSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

/** A value that a setting may have and does not have by itself. */
function otherValue(name: string, { type, default: value, enum: choices }: SettingSchema): unknown {
  if (choices !== undefined) return choices.find((choice) => choice !== value);
  if (type === 'boolean') return value !== true;
  if (type === 'integer') return Number(value) + 1;
  return type === 'number' ? 0.75 : `value of ${name}`;
}

/** Every setting reaches the container, in the spelling that the service reads. */
function checkSettings(): void {
  const settings = Object.entries(EnvSchema.properties as Record<string, SettingSchema>);
  const config = settings.flatMap(([name, schema]) =>
    SECRET_SETTINGS.includes(name) ? [] : [[name, otherValue(name, schema)] as const],
  );
  const values = {
    config: Object.fromEntries(config),
    apiKeys: { existingSecret: 'keys' },
    jobs: { existingSecret: 'keys' },
    networkPolicy: { enabled: false },
  };
  const { ok, out } = template([temporary('settings.json', JSON.stringify(values))]);
  check('a value for every setting is taken', ok, out);
  if (!ok) return;
  const deployment = objects(out).find(({ kind }) => kind === 'Deployment');
  type Env = { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string } } };
  const { template: pod } = deployment?.spec as { template: { spec: { containers: [{ env: Env[] }] } } };
  const env = new Map(pod.spec.containers[0].env.map((one) => [one.name, one]));
  for (const [name, value] of config) check(`${name} is passed`, env.get(name)?.value === String(value));
  for (const name of SECRET_SETTINGS) {
    check(`${name} is passed from a secret`, env.get(name)?.valueFrom?.secretKeyRef?.name === 'keys');
  }
}

/** What OCR_SOURCE_ALLOW of ci/everything-values.yaml opens: addresses and networks, at their ports; names are left out. */
const OPENED: readonly string[] = [
  '10.2.0.0/16',
  '10.3.0.7/32 at 9000',
  'fd00::/8',
  'fd00::1/128',
  'fd00:1::2/128 at 9000',
];

function checkNetworkPolicy(): void {
  interface Rule {
    readonly to: readonly { readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] } }[];
    readonly ports?: readonly { readonly port: number }[];
  }
  const policy = objects(template([`${CHART}/ci/everything-values.yaml`]).out).find(
    ({ kind }) => kind === 'NetworkPolicy',
  );
  const rules = (policy?.spec.egress ?? []) as Rule[];
  const blocks = rules.flatMap(({ to, ports = [] }) =>
    to.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [{ ...ipBlock, ports: ports.map(({ port }) => port) }])),
  );
  const [world, ...opened] = blocks.filter(({ cidr }) => cidr !== '2000::/3');
  check(
    'the network policy opens public addresses at OCR_URL_PORTS',
    world?.cidr === '0.0.0.0/0' && world.ports.join() === '443,8443',
  );
  for (const network of ['10.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16']) {
    check(`… without ${network}`, world?.except?.includes(network) === true);
  }
  const written = opened.map(({ cidr, ports }) => (ports.length === 0 ? cidr : `${cidr} at ${ports.join()}`));
  check('… and the networks of OCR_SOURCE_ALLOW', written.join('; ') === OPENED.join('; '), written.join('; '));
}

/** Without a CPU limit the number of engine processes comes from the request; with one the service finds it itself. */
function checkProcesses(): void {
  const fromRequest = 'resource: requests.cpu';
  const small = template([`${CHART}/ci/small-values.yaml`]).out;
  check('no CPU limit: an engine process for each CPU requested', small.includes(fromRequest));
  check('a CPU limit: the service finds it', !template([]).out.includes(fromRequest));
}

/** The workers' pods are told apart from the server's: each kind is spread over nodes by itself, at whatever the values say. */
function checkWorkers(): void {
  interface Pods {
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly containers: readonly [{ readonly args?: readonly string[] }];
        readonly topologySpreadConstraints?: readonly {
          readonly labelSelector: { readonly matchLabels: Record<string, string> };
        }[];
      };
    };
  }
  const pods = objects(template([`${CHART}/ci/everything-values.yaml`]).out)
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ spec }) => (spec as unknown as Pods).template);
  for (const isWorker of [false, true]) {
    const kind = isWorker ? 'worker' : 'server';
    const ofKind = pods.filter(({ spec }) => (spec.containers[0].args?.[0] === 'worker') === isWorker);
    check(`one Deployment of ${kind} pods`, ofKind.length === 1);
    const others = pods.filter((pod) => !ofKind.includes(pod));
    const spread = ofKind[0]?.spec.topologySpreadConstraints?.[0]?.labelSelector.matchLabels ?? {};
    const selects = (labels: Record<string, string>): boolean =>
      Object.entries(spread).every(([name, value]) => labels[name] === value);
    check(
      `${kind} pods are spread over nodes among themselves`,
      Object.keys(spread).length > 0 &&
        ofKind.every(({ metadata }) => selects(metadata.labels)) &&
        !others.some(({ metadata }) => selects(metadata.labels)),
    );
  }
}

/** What must not be installed, and what helm has to say of it. */
const REFUSALS: readonly [what: string, values: object, says: RegExp][] = [
  ['a misspelt setting', { config: { OCR_MAX_SIDES: 1 } }, /OCR_MAX_SIDES/],
  ['a setting out of range', { config: { OCR_MAX_SIDE: 1 } }, /OCR_MAX_SIDE/],
  ['a setting of the wrong type', { config: { OCR_DOCS: 'yes' } }, /OCR_DOCS/],
  ['keys as a plain value', { config: { OCR_API_KEYS: 'k' } }, /OCR_API_KEYS/],
  ['a misspelt value', { replica: 3 }, /replica/],
  ['two sources of keys', { apiKeys: { existingSecret: 'a', values: ['b'] } }, /not both/],
  ['an ingress without a host', { ingress: { enabled: true } }, /ingress\.hosts/],
  [
    'CPUs of the whole node',
    { resources: { limits: { cpu: null }, requests: { cpu: null } } },
    /resources\.limits\.cpu, resources\.requests\.cpu or config\.OCR_ENGINE_PROCESSES/,
  ],
];

function checkRefusals(): void {
  for (const [what, values, says] of REFUSALS) {
    const { ok, out } = template([temporary('refused.json', JSON.stringify(values))]);
    check(`refused: ${what}`, !ok && says.test(out), out.slice(0, 2000));
  }
}

function checkMonitoring(): void {
  const made = objects(template([`${CHART}/ci/everything-values.yaml`]).out);
  const find = (wanted: string): Made | undefined => made.find(({ kind }) => kind === wanted);
  const service = find('Service');
  const monitor = find('ServiceMonitor')?.spec as
    { selector: { matchLabels: Record<string, string> }; endpoints: [{ port: string; path: string }] } | undefined;
  const selected = Object.entries(monitor?.selector.matchLabels ?? { none: '' }).every(
    ([label, value]) => service?.metadata.labels[label] === value,
  );
  check('the ServiceMonitor selects the Service', selected);
  const ports = service?.spec.ports as { name: string }[] | undefined;
  check('… at a port that it has', ports?.some(({ name }) => name === monitor?.endpoints[0].port) === true);
  const rules = parse(readFileSync(`${root}/deploy/observability/alerts.yml`, 'utf8')) as object;
  check('the PrometheusRule holds the alerts', JSON.stringify(find('PrometheusRule')?.spec) === JSON.stringify(rules));

  const folder = `${root}/deploy/observability`;
  checkRun('promtool check rules', tool('promtool'), ['check', 'rules', 'alerts.yml'], folder);
  checkRun('promtool test rules', tool('promtool'), ['test', 'rules', 'alerts.test.yml'], folder);
  checkRun('promtool check config', tool('promtool'), ['check', 'config', 'prometheus.yml'], folder);
}

/** Alerts of series that begin with the first fault: nothing was answered 5xx here. */
const NEVER_SEEN: readonly string[] = ['GeneralOcrErrors'];

/**
 * Every query of the dashboard and of the alerts, asked of a Prometheus that has the compose profile's configuration and
 * scrapes the service under a little traffic.
 */
async function checkLive(): Promise<void> {
  const { metrics, dashboard, rules, compared } = await observeService(tool('prometheus'), work);
  const own = metrics
    .split('\n')
    .filter((line) => /^(# (HELP|TYPE) )?general_ocr_/.test(line))
    .join('\n');
  const lint = spawnSync(tool('promtool'), ['check', 'metrics'], { input: `${own}\n`, encoding: 'utf8' });
  check('promtool check metrics', lint.status === 0 && lint.stderr === '', lint.stderr);
  for (const { title, query, series, error } of dashboard) {
    check(`dashboard: ${title} has ${series} series`, series > 0, `${query}\n${error}`);
  }
  check(`alerts: ${rules.length} rules are loaded`, rules.length === compared.length && rules.length > 5);
  for (const { name, health, state, lastError = '' } of rules) {
    check(`alert: ${name} is evaluated (${health}) and ${state}`, health === 'ok' && state === 'inactive', lastError);
  }
  for (const { title, query, series, error } of compared) {
    const wanted = NEVER_SEEN.includes(title) ? error === '' : series > 0;
    check(`alert: ${title} compares ${series} series`, wanted, `${query}\n${error}`);
  }
}

/** The bill of materials is one by its own schema, and holds the packages and the models. */
function checkSbom(): void {
  const made = spawnSync(process.execPath, [`${root}/scripts/sbom.ts`], { encoding: 'utf8', maxBuffer: 1e8 });
  check('the bill of materials can be made', made.status === 0, made.stderr);
  const valid = spawnSync(tool('cyclonedx-validate'), { input: made.stdout, encoding: 'utf8' });
  check('… is CycloneDX 1.5 by its schema', valid.status === 0, valid.stderr);
  const { components } = JSON.parse(made.stdout) as { components: { name: string; type: string }[] };
  const names = new Set(components.map(({ name }) => name));
  check('… has packages in it', names.has('fastify') && names.has('onnxruntime-node'));
  check('… and no development package', !names.has('tap') && !names.has('eslint'));
  check('… and the models', components.filter(({ type }) => type === 'machine-learning-model').length === 2);
}

/** The chart as a release packs it, with where the released image is. */
function checkPackage(): void {
  checkRun('helm package', tool('helm'), ['package', CHART, '--destination', work]);
  const [archive = ''] = readdirSync(work).filter((name) => name.endsWith('.tgz'));
  checkRun('the package lints', tool('helm'), ['lint', '--strict', path.join(work, archive)]);
  const place = /\n {2}repository: general-ocr\n/;
  check('the release workflow finds the place of the image', place.test(readFileSync(`${CHART}/values.yaml`, 'utf8')));
}

/** nginx's own answers over TLS, with no replica behind it; `npm run bench -- replicas` has replicas. */
async function checkNginx(): Promise<void> {
  process.env.NGINX_PROGRAM ??= tool('nginx');
  const nginx = await startNginx([`127.0.0.1:${await freePort()}`], { tls: true });
  // The certificate is a test's own. nginx ends an HTTP/2 stream that goes on after its 413, and undici then gives no answer.
  const agentOf = (allowH2: boolean): Agent => new Agent({ allowH2, connect: { rejectUnauthorized: false } });
  const [http2, http1] = [agentOf(true), agentOf(false)];
  try {
    for (const [method, at, status, code] of [
      ['GET', '/metrics', 404, 'NOT_FOUND'],
      ['POST', '/general_ocr', 503, 'UNAVAILABLE'],
      ['POST', '/general_ocr?too=large', 413, 'BODY_TOO_LARGE'],
    ] as const) {
      const answer = await request(`${nginx.url}${at}`, {
        ...{ method, headers: { 'x-request-id': 'deploy-test' } },
        dispatcher: status === 413 ? http1 : http2,
        body: status === 413 ? Buffer.alloc(80e6) : null,
      });
      const body = (await answer.body.json()) as { statusCode: number; code: string; requestId: string };
      const holds =
        answer.statusCode === status &&
        body.statusCode === status &&
        body.code === code &&
        body.requestId === 'deploy-test' &&
        answer.headers['x-request-id'] === 'deploy-test' &&
        (status !== 503 || answer.headers['retry-after'] === '1');
      check(`nginx with TLS: ${method} ${at} is ${status} ${code}`, holds, JSON.stringify(body));
    }
    // A line is written when the rest of the body has been thrown away.
    const written = await waitFor(async () => nginx.accessLog().length >= 3, LOG_WITHIN_MS);
    const lines = JSON.stringify(nginx.accessLog());
    check('… and its log has no query', written !== undefined && !lines.includes('too='), lines);
  } finally {
    await Promise.all([http1.close(), http2.close()]);
    await nginx.stop();
  }
}

function checkSystemd(): void {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
    process.stdout.write('left out: the systemd unit (no systemd-analyze here; Debian has it in systemd)\n');
    return;
  }
  const text = readFileSync(`${root}/deploy/systemd/general-ocr.service`, 'utf8');
  // Verifying wants a program that is there; where Node is on this machine is not the unit's matter.
  const unit = temporary('general-ocr.service', text.replace('/usr/bin/node ', `${process.execPath} `));
  const verified = run('systemd-analyze', ['verify', '--man=no', unit]);
  check('systemd-analyze verify', verified.ok && !verified.out.includes(unit), verified.out);
  const { out } = run('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit]);
  const exposure = Number(/Overall exposure level for [^:]*: ([\d.]+)/.exec(out)?.[1]);
  check(`systemd-analyze security: ${exposure} (at most ${MOST_EXPOSURE})`, exposure <= MOST_EXPOSURE);
}

try {
  execFileSync('bash', [`${root}/test/deploy/tools.sh`, tools], { stdio: 'inherit' });
  checkChart();
  checkSettings();
  checkRefusals();
  checkNetworkPolicy();
  checkProcesses();
  checkWorkers();
  checkMonitoring();
  checkPackage();
  checkSbom();
  await checkNginx();
  checkSystemd();
  checkRun('actionlint', tool('actionlint'), [`-shellcheck=${tool('shellcheck')}`, '-pyflakes=']);
  checkRun('shellcheck', tool('shellcheck'), ['--severity=warning', 'test/deploy/tools.sh', '.ci/run']);
  await checkLive();
} catch (error) {
  check('all checks could be made', false, error instanceof Error ? error.message : String(error));
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
