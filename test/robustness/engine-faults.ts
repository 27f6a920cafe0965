import { startService } from '../running-service.ts';
import { metric, post, SAMPLE_BODY, statusOf, waitFor, workingProcesses, type Answer } from './client.ts';
import { childrenOf, pidOf } from './processes.ts';
import { milliseconds, Report, tally } from './report.ts';
import { tiledPage } from './tiled-page.ts';

const PAGE_TIMEOUT_MS = 3000;
const TIME_TOLERANCE_MS = 500;
const BACK_WITHIN_MS = 5000;
/** Any engine process is over this when it has read a page, so that each page leads to a replacement. */
const SMALL_MEMORY_MB = 256;
const PROCESSES = 2;

const settings = { OCR_ENGINE_PROCESSES: String(PROCESSES), OCR_PAGE_TIMEOUT_MS: String(PAGE_TIMEOUT_MS) };

const allBack = (url: string, processes: number): Promise<number | undefined> =>
  waitFor(async () => (await workingProcesses(url)) === processes, 4 * BACK_WITHIN_MS);

/** A process that stops (SIGSTOP) in the middle of its page is one that hangs. */
async function hanging(report: Report): Promise<void> {
  const service = await startService(settings);
  const { url } = service;
  const pid = pidOf(service.process);
  const before = childrenOf(pid);
  for (const engine of before) process.kill(engine, 'SIGSTOP');
  const answers = await Promise.all([post(url, SAMPLE_BODY), post(url, SAMPLE_BODY)]);
  const longest = Math.max(...answers.map(({ ms }) => ms));
  report.check(
    `pages whose process hangs: ${tally(answers.map(({ code }) => code))} after ${milliseconds(longest)} at most (limit ${PAGE_TIMEOUT_MS} ms)`,
    answers.every(({ status }) => status === 504) && longest <= PAGE_TIMEOUT_MS + TIME_TOLERANCE_MS,
  );
  const next = await post(url, SAMPLE_BODY);
  const backMs = await allBack(url, PROCESSES);
  report.check(
    `other processes in their place: ${next.code}, all at work ${milliseconds(backMs ?? Infinity)} later (at most ${BACK_WITHIN_MS} ms)`,
    next.status === 200 && backMs !== undefined && backMs <= BACK_WITHIN_MS,
  );
  report.check('none of the old ones is left', !childrenOf(pid).some((engine) => before.includes(engine)));
  report.check('the server ends with 0', (await service.stop()) === 0);
}

/** Replaced between two pages, one after the other, without a page lost or late. */
async function growing(report: Report): Promise<void> {
  const service = await startService({ OCR_ENGINE_PROCESSES: '2', OCR_ENGINE_MEMORY_MB: String(SMALL_MEMORY_MB) });
  const { url } = service;
  // The largest, with many lines: pages of 3000 x 3000 with few of them leave less than 256 MB behind.
  const page = await tiledPage(4096, 4096, 768);
  const answers: Answer[] = [];
  const replaced = await waitFor(async () => {
    answers.push(await post(url, page));
    return (await metric(url, 'general_ocr_engine_restarts_total')) >= 2;
  }, 60_000);
  report.check(
    `over ${SMALL_MEMORY_MB} MB: replaced twice within ${answers.length} pages, ${tally(answers.map(({ code }) => code))}`,
    replaced !== undefined && answers.every(({ status }) => status === 200),
  );
  report.check('ready all the time', (await statusOf(`${url}/health/ready`)) === 200);
  report.check('the server ends with 0', (await service.stop()) === 0);
}

/** A page that kills whatever reads it. With a single process there is no doubt which one that is: none helps another. */
async function killing(report: Report): Promise<void> {
  const service = await startService({ OCR_ENGINE_PROCESSES: '1' });
  const { url } = service;
  const pid = pidOf(service.process);
  const slow = await tiledPage(4000, 4000);
  let answered = false;
  const answer = post(url, slow).finally(() => (answered = true));
  let kills = 0;
  await waitFor(async () => {
    const [reader] = childrenOf(pid);
    const isReading = (await metric(url, 'general_ocr_engine_processes', '"busy"')) === 1;
    if (answered || reader === undefined || !isReading) return answered;
    process.kill(reader, 'SIGKILL');
    kills += 1;
    await waitFor(async () => !childrenOf(pid).includes(reader), BACK_WITHIN_MS);
    return answered;
  }, 60_000);
  const { status, code } = await answer;
  report.check(
    `a page that kills its process: ${status} ${code} after ${kills} processes (at most 2)`,
    status === 503 && code === 'ENGINE_CRASHED' && kills === 2,
  );
  const backMs = await allBack(url, 1);
  report.check(
    `all at work again after ${milliseconds(backMs ?? Infinity)} (at most ${BACK_WITHIN_MS} ms)`,
    backMs !== undefined && backMs <= BACK_WITHIN_MS,
  );
  report.check('two deaths do not turn ready off', (await statusOf(`${url}/health/ready`)) === 200);
  for (let kill = 0; kill < 3; kill += 1) {
    await allBack(url, 1);
    const [victim] = childrenOf(pid);
    process.kill(victim, 'SIGKILL');
    await waitFor(async () => !childrenOf(pid).includes(victim), BACK_WITHIN_MS);
  }
  const [ready, live] = [await statusOf(`${url}/health/ready`), await statusOf(`${url}/health/live`)];
  report.check(`after five deaths in a minute: ready ${ready}, live ${live}`, ready === 503 && live === 200);
  const again = await waitFor(async () => (await statusOf(`${url}/health/ready`)) === 200, 4 * BACK_WITHIN_MS);
  report.check(`ready again after ${milliseconds(again ?? Infinity)}`, again !== undefined);
  report.check('the server ends with 0', (await service.stop()) === 0);
}

/** `engine-faults`: engine processes that hang, that grow over their budget, and a page that kills them. */
export async function run(): Promise<Report> {
  const report = new Report();
  await hanging(report);
  await growing(report);
  await killing(report);
  return report;
}
