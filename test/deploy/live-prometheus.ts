import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { freePort } from '../free-port.ts';
import { startRedis } from '../jobs/redis-server.ts';
import { startService } from '../running-service.ts';

/** Rates need two scrapes; five seconds of them, asked of a window that holds all. */
const SCRAPE_INTERVAL = '1s';
const WINDOW = '30s';

/** Long enough for a Prometheus that starts on a busy machine; every wait below ends with its condition. */
const GIVE_UP_MS = 60_000;

export interface QueryFinding {
  /** Of the panel, or the name of the alert. */
  readonly title: string;
  readonly query: string;
  /** Series in the answer; 0 when the query failed, and then `error` says why. */
  readonly series: number;
  readonly error: string;
}

/** A rule as the running Prometheus has it. */
export interface LoadedRule {
  readonly name: string;
  readonly query: string;
  /** `ok` once it was evaluated. */
  readonly health: string;
  readonly lastError?: string;
  /** `inactive`, `pending` or `firing`. */
  readonly state: string;
}

export interface LiveFindings {
  /** What the service gave at `/metrics`. */
  readonly metrics: string;
  readonly dashboard: readonly QueryFinding[];
  readonly rules: readonly LoadedRule[];
  /** What each alert compares with its threshold, asked without the threshold. */
  readonly compared: readonly QueryFinding[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const OBSERVABILITY = fileURLToPath(new URL('../../deploy/observability', import.meta.url));

/** What an alert ends with: a healthy service has series before it and none behind. */
const THRESHOLD = / (?:>|==) [\d.]+$/;

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: [number, string] }[] };
}

async function ask(prometheus: string, query: string): Promise<QueryAnswer> {
  const response = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
  return (await response.json()) as QueryAnswer;
}

/** Pages read, as this Prometheus knows it. */
async function pagesSeen(prometheus: string): Promise<number> {
  const { data } = await ask(prometheus, 'general_ocr_pages_total');
  return Number(data?.result[0]?.value[1] ?? 0);
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/general_ocr`, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
}

/** A page and a refusal before the first scrape and after it, so that every counter grows between two scrapes. */
async function makeTraffic(service: string, prometheus: string): Promise<void> {
  const traffic = async (): Promise<void> => {
    await post(service, { img: SAMPLE_IMAGE_BASE64 });
    await post(service, { img: '$' });
  };
  await traffic();
  await until('Prometheus has scraped the service', async () => (await pagesSeen(prometheus)) >= 1);
  const before = await pagesSeen(prometheus);
  await traffic();
  await until('Prometheus has scraped it again', async () => (await pagesSeen(prometheus)) > before);
}

/**
 * deploy/observability/prometheus.yml with the service's address in place of its look-up in Docker's DNS, and with a short
 * interval. @returns the path of the file
 */
function writePrometheusConfig(folder: string, target: string): string {
  const config = parse(readFileSync(`${OBSERVABILITY}/prometheus.yml`, 'utf8')) as {
    global: object;
    rule_files: string[];
    scrape_configs: { job_name: string; dns_sd_configs?: object[]; static_configs?: object[] }[];
  };
  const [job] = config.scrape_configs;
  if (config.scrape_configs.length !== 1 || job?.dns_sd_configs === undefined) {
    throw new Error('prometheus.yml has not the one job with dns_sd_configs that is tested here');
  }
  delete job.dns_sd_configs;
  const file = path.join(folder, 'prometheus.json');
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      ...config,
      global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
      rule_files: config.rule_files.map((name) => path.resolve(OBSERVABILITY, name)),
      scrape_configs: [{ ...job, static_configs: [{ targets: [target] }] }],
    }),
  );
  return file;
}

async function loadedRules(prometheus: string): Promise<LoadedRule[]> {
  const response = await fetch(`${prometheus}/api/v1/rules`);
  const { data } = (await response.json()) as { data: { groups: readonly { rules: readonly LoadedRule[] }[] } };
  return data.groups.flatMap(({ rules }) => rules);
}

async function find(prometheus: string, title: string, query: string): Promise<QueryFinding> {
  const { data, error = '' } = await ask(prometheus, query);
  return { title, query, series: data?.result.length ?? 0, error };
}

async function askDashboard(prometheus: string): Promise<QueryFinding[]> {
  const { panels } = JSON.parse(readFileSync(`${OBSERVABILITY}/grafana/dashboard.json`, 'utf8')) as {
    panels: readonly Panel[];
  };
  const answers: QueryFinding[] = [];
  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const query = expr.replaceAll('$__rate_interval', WINDOW).replace(/\$(job|instance)/g, '.*');
      answers.push(await find(prometheus, title, query));
    }
  }
  return answers;
}

/**
 * Starts the service and a Prometheus with the configuration and the rules of the compose profile, makes a little traffic, and
 * asks every query of the dashboard and of the alerts.
 *
 * @param program Prometheus
 * @param folder for its configuration and data
 */
export async function observeService(program: string, folder: string): Promise<LiveFindings> {
  // For the figures of jobs.
  const redis = await startRedis();
  const service = await startService({ OCR_ENGINE_PROCESSES: '1', OCR_REDIS_URL: redis.url });
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${writePrometheusConfig(folder, new URL(service.url).host)}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = once(child, 'exit');
  try {
    await until('Prometheus answers', async () => (await fetch(`${address}/-/ready`)).ok);
    await makeTraffic(service.url, address);
    const evaluated = async (): Promise<boolean> =>
      (await loadedRules(address)).every(({ health }) => health !== 'unknown');
    await until('Prometheus has evaluated the rules', evaluated);
    const rules = await loadedRules(address);
    const compared: QueryFinding[] = [];
    for (const { name, query } of rules) compared.push(await find(address, name, query.replace(THRESHOLD, '')));
    return {
      metrics: await (await fetch(`${service.url}/metrics`)).text(),
      dashboard: await askDashboard(address),
      rules,
      compared,
    };
  } finally {
    child.kill('SIGTERM');
    await ended;
    await service.stop();
    await redis.remove();
  }
}
