import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startService, type RunningService } from '../running-service.ts';
import { closedLoop, SAMPLE_BODY, waitFor, type Answer } from './client.ts';
import { milliseconds, percentile, Report, tally } from './report.ts';

const GONE_WITHIN_MS = 25_000;
const AT_ONCE_MS = 1000;
/** A request that was sent this long before the signal has arrived; one on its way at that moment may find a closed door. */
const ARRIVED_MS = 20;

interface Round {
  readonly exitCode: number | null;
  readonly goneMs: number;
  /** Of the requests that had arrived before the signal and were not answered by then. */
  readonly accepted: readonly Answer[];
  /** Of those that were sent later. */
  readonly late: readonly Answer[];
}

async function underLoad(service: RunningService, clients: number, signal: () => void): Promise<Round> {
  const stop = new AbortController();
  const seen: { answer: Answer; sentAt: number }[] = [];
  const load = closedLoop(service.url, SAMPLE_BODY, clients, stop.signal, (answer, sentAt) =>
    seen.push({ answer, sentAt }),
  );
  await waitFor(async () => seen.length >= 2 * clients, GONE_WITHIN_MS);
  const exited = once(service.process, 'exit');
  const signalAt = performance.now();
  signal();
  const [exitCode] = (await exited) as [number | null];
  const goneMs = performance.now() - signalAt;
  stop.abort();
  await load;
  const open = seen.filter(({ answer, sentAt }) => sentAt + answer.ms >= signalAt);
  const arrived = ({ sentAt }: { sentAt: number }): boolean => sentAt <= signalAt - ARRIVED_MS;
  return {
    exitCode,
    goneMs,
    accepted: open.filter(arrived).map(({ answer }) => answer),
    late: open.filter((one) => !arrived(one)).map(({ answer }) => answer),
  };
}

/** `sigterm [--rounds 5] [--clients 8] [--processes 2]` */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '8' },
      processes: { type: 'string', default: '2' },
    },
  });
  const report = new Report();
  const settings = { OCR_ENGINE_PROCESSES: values.processes };
  const rounds: Round[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const service = await startService(settings);
    rounds.push(await underLoad(service, Number(values.clients), () => service.process.kill('SIGTERM')));
  }
  const accepted = rounds.flatMap((round) => round.accepted);
  const times = rounds.map(({ goneMs }) => goneMs);
  report.note(
    `${rounds.length} rounds with ${values.clients} clients; sent after the signal: ${tally(rounds.flatMap(({ late }) => late.map(({ code }) => code)))}`,
  );
  report.check(
    `accepted before the signal, answered after it: ${tally(accepted.map(({ code }) => code))}`,
    accepted.length > 0 && accepted.every(({ status }) => status === 200),
  );
  report.check(
    `exit codes: ${tally(rounds.map(({ exitCode }) => String(exitCode)))}`,
    rounds.every(({ exitCode }) => exitCode === 0),
  );
  report.check(
    `gone after: median ${milliseconds(percentile(times, 0.5))}, longest ${milliseconds(Math.max(...times))} (at most ${GONE_WITHIN_MS} ms)`,
    times.every((ms) => ms <= GONE_WITHIN_MS),
  );

  const service = await startService(settings);
  const twice = await underLoad(service, Number(values.clients), () => {
    service.process.kill('SIGTERM');
    // The first must have been taken, or the system would deliver the two as one.
    setTimeout(() => service.process.kill('SIGTERM'), 50);
  });
  report.check(
    `a second signal ends it ${milliseconds(twice.goneMs)} after the first, exit code ${twice.exitCode}`,
    twice.goneMs <= AT_ONCE_MS && twice.exitCode !== 0,
  );
  return report;
}
