import { parseArgs } from 'node:util';
import { randomBytes } from 'node:crypto';
import { startService } from '../running-service.ts';
import { bodyOf, closedLoop, metric, pause, SAMPLE_BODY, type Answer } from './client.ts';
import { milliseconds, percentile, Report, tally } from './report.ts';

const MAX_DELAY_P99_MS = 50;
const LARGE_BYTES = 15_000_000;
/** Between two readings of the metric; each reading starts the histogram anew. */
const READING_MS = 2000;

/** The delay's p99 (perf_hooks.monitorEventLoopDelay, by prom-client) in each interval of a while, in milliseconds. */
async function delays(url: string, until: AbortSignal): Promise<number[]> {
  const seen: number[] = [];
  await metric(url, 'nodejs_eventloop_lag_p99_seconds');
  while (!until.aborted) {
    await pause(READING_MS);
    seen.push(1000 * (await metric(url, 'nodejs_eventloop_lag_p99_seconds')));
  }
  return seen;
}

/**
 * `event-loop [--seconds 20] [--processes 2]`: delay of the server's event loop under full load, alone and with bodies of
 * 20 MB beside it. They hold no picture, so that it is the server process they keep busy.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string', default: '20' }, processes: { type: 'string', default: '2' } },
  });
  const ms = 1000 * Number(values.seconds);
  const processes = Number(values.processes);
  const report = new Report();
  const service = await startService({ OCR_ENGINE_PROCESSES: values.processes });
  const { url } = service;
  const large = bodyOf(randomBytes(LARGE_BYTES));
  const check = (what: string, seen: readonly number[], answers: readonly Answer[]): void => {
    const median = percentile(seen, 0.5);
    report.check(
      `${what}: p99 of the event loop's delay ${milliseconds(median)} (median of ${seen.length} intervals; worst ${milliseconds(Math.max(...seen))}; at most ${MAX_DELAY_P99_MS} ms); ${tally(answers.map(({ code }) => code))}`,
      median <= MAX_DELAY_P99_MS && answers.length > 0,
    );
  };

  const idle = await delays(url, AbortSignal.timeout(READING_MS));
  report.note(`idle: p99 ${milliseconds(percentile(idle, 0.5))}; the timer that measures it fires every 10 ms`);

  const small: Answer[] = [];
  const full = AbortSignal.timeout(ms);
  const [seen] = await Promise.all([
    delays(url, full),
    closedLoop(url, SAMPLE_BODY, 4 * processes, full, (answer) => small.push(answer)),
  ]);
  check(`${4 * processes} clients`, seen, small);

  const both: Answer[] = [];
  const mixed = AbortSignal.timeout(ms);
  const [withLarge] = await Promise.all([
    delays(url, mixed),
    closedLoop(url, SAMPLE_BODY, 4 * processes, mixed, (answer) => both.push(answer)),
    closedLoop(url, large, 2, mixed, (answer) => both.push(answer)),
  ]);
  check(`the same beside bodies of ${large.length} bytes, two at a time without a pause`, withLarge, both);
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
