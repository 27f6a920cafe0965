import { parseArgs } from 'node:util';
import { startService } from '../running-service.ts';
import { metric, post, SAMPLE_BODY, statusOf, waitFor } from './client.ts';
import { childrenOf, pidOf } from './processes.ts';
import { milliseconds, Report, tally } from './report.ts';

const EMPTY_WITHIN_MS = 100;
const SETUP_MS = 10_000;

/**
 * `leave [--clients 50]`: the one engine process is stopped (SIGSTOP) with a page in it, so that what comes next must
 * wait; then all who wait leave.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({ args: [...args], options: { clients: { type: 'string', default: '50' } } });
  const clients = Number(values.clients);
  const report = new Report();
  const service = await startService({
    OCR_ENGINE_PROCESSES: '1',
    OCR_QUEUE_LENGTH: values.clients,
    OCR_PAGE_TIMEOUT_MS: '60000',
  });
  const { url } = service;
  const waiting = (): Promise<number> => metric(url, 'general_ocr_requests_waiting');
  const inside = (): Promise<number> => metric(url, 'general_ocr_requests_inside');
  const [engine] = childrenOf(pidOf(service.process));
  process.kill(engine, 'SIGSTOP');
  const first = post(url, SAMPLE_BODY);
  await waitFor(async () => (await inside()) === 1, SETUP_MS);
  const left = new AbortController();
  const leavers = Array.from({ length: clients }, () => post(url, SAMPLE_BODY, { signal: left.signal }));
  await waitFor(async () => (await waiting()) === clients, SETUP_MS);
  report.check(`waiting before: ${await waiting()}`, (await waiting()) === clients);
  left.abort();
  const emptyMs = await waitFor(async () => (await waiting()) === 0 && (await inside()) === 1, SETUP_MS);
  report.check(
    `queue and places empty after ${milliseconds(emptyMs ?? NaN)}, asking included (at most ${EMPTY_WITHIN_MS} ms)`,
    emptyMs !== undefined && emptyMs <= EMPTY_WITHIN_MS,
  );
  report.note(`what the leavers saw: ${tally((await Promise.all(leavers)).map(({ code }) => code))}`);
  process.kill(engine, 'SIGCONT');
  report.check('the page that was being read is answered', (await first).status === 200);
  const next = await post(url, SAMPLE_BODY);
  const pages = await metric(url, 'general_ocr_pages_total');
  report.check(
    `pages that reached the engine process: ${pages} (the first and one afterwards)`,
    next.status === 200 && pages === 2,
  );
  const abandoned = await metric(url, 'general_ocr_requests_total', 'ABANDONED');
  report.check(`counted as abandoned: ${abandoned}`, abandoned === clients);
  report.check('the server is ready', (await statusOf(`${url}/health/ready`)) === 200);
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
