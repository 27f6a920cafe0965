import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { freePort } from '../free-port.ts';
import { startService } from '../running-service.ts';

/** Rates need two scrapes; five seconds of them, asked of a window that holds all. */
const SCRAPE_INTERVAL = '1s';
const WINDOW = '30s';

/** Long enough for a Prometheus that starts on a busy machine; every wait below ends with its condition. */
const GIVE_UP_MS = 60_000;

export interface DashboardAnswer {
  readonly title: string;
  readonly query: string;
  /** Series in the answer; 0 when the query failed, and then `error` says why. */
  readonly series: number;
  readonly error: string;
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
 * Starts the service and a Prometheus that scrapes it, makes a little traffic, and asks every query of the dashboard.
 *
 * @param prometheus the program
 * @param folder for its configuration and data
 */
export async function queryDashboard(
  prometheus: string,
  folder: string,
): Promise<{ metrics: string; answers: DashboardAnswer[] }> {
  const service = await startService({ OCR_ENGINE_PROCESSES: '1' });
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const config = path.join(folder, 'prometheus.json');
  // JSON is YAML.
  const job = { job_name: 'general-ocr', static_configs: [{ targets: [new URL(service.url).host] }] };
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: SCRAPE_INTERVAL }, scrape_configs: [job] }));
  const child = spawn(
    prometheus,
    [
      `--config.file=${config}`,
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
    const file = new URL('../../deploy/observability/grafana/dashboard.json', import.meta.url);
    const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: readonly Panel[] };
    const answers: DashboardAnswer[] = [];
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const query = expr.replaceAll('$__rate_interval', WINDOW).replace(/\$(job|instance)/g, '.*');
        const { data, error = '' } = await ask(address, query);
        answers.push({ title, query, series: data?.result.length ?? 0, error });
      }
    }
    return { metrics: await (await fetch(`${service.url}/metrics`)).text(), answers };
  } finally {
    child.kill('SIGTERM');
    await ended;
    await service.stop();
  }
}
