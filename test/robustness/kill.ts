import { parseArgs } from 'node:util';
import { startService } from '../running-service.ts';
import { closedLoop, pause, SAMPLE_BODY, statusOf, waitFor, workingProcesses, type Answer } from './client.ts';
import { childrenOf, pidOf } from './processes.ts';
import { milliseconds, percentile, Report, tally } from './report.ts';

const BACK_WITHIN_MS = 5000;
const PROBE_MS = 50;

/** Asks both probes all the time. */
async function probe(url: string, until: AbortSignal): Promise<{ live: number[]; ready: number[] }> {
  const seen: { live: number[]; ready: number[] } = { live: [], ready: [] };
  while (!until.aborted) {
    seen.live.push(await statusOf(`${url}/health/live`));
    seen.ready.push(await statusOf(`${url}/health/ready`));
    await pause(PROBE_MS);
  }
  return seen;
}

/** `kill [--kills 20] [--processes 2] [--clients 4]`: kill -9 of one engine process after the other under load. */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '20' },
      processes: { type: 'string', default: '2' },
      clients: { type: 'string', default: '4' },
    },
  });
  const [kills, processes, clients] = [values.kills, values.processes, values.clients].map(Number);
  const report = new Report();
  const service = await startService({ OCR_ENGINE_PROCESSES: values.processes });
  const { url } = service;
  const pid = pidOf(service.process);
  const stop = new AbortController();
  const answers: Answer[] = [];
  const load = closedLoop(url, SAMPLE_BODY, clients, stop.signal, (answer) => answers.push(answer));
  const probes = probe(url, stop.signal);
  const backMs: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const engines = childrenOf(pid);
    // Some die in the middle of a page, some between two.
    await pause(Math.random() * 100);
    const victim = engines[kill % engines.length];
    process.kill(victim, 'SIGKILL');
    const back = await waitFor(
      async () => !childrenOf(pid).includes(victim) && (await workingProcesses(url)) === processes,
      2 * BACK_WITHIN_MS,
    );
    backMs.push(back ?? Infinity);
  }
  stop.abort();
  await load;
  const { live, ready } = await probes;
  report.note(
    `${kills} kills under the load of ${clients} clients; ${answers.length} requests: ${tally(answers.map(({ code }) => code))}`,
  );
  report.check(
    `the server process lives: /health/live ${tally(live)}`,
    live.every((status) => status === 200),
  );
  const others = answers.filter(({ status }) => status !== 200 && status !== 503);
  report.check(`answers other than 200 and 503: ${others.length}`, others.length === 0);
  const lost = answers.filter(({ status }) => status === 503);
  report.check(`pages answered 503: ${lost.length} (at most one for each kill)`, lost.length <= kills);
  const slowest = Math.max(...backMs);
  report.check(
    `all processes at work again: median ${milliseconds(percentile(backMs, 0.5))}, longest ${milliseconds(slowest)} (at most ${BACK_WITHIN_MS} ms)`,
    slowest <= BACK_WITHIN_MS,
  );
  if (kills >= 5) {
    report.check(`five deaths in a minute turn ready off: /health/ready ${tally(ready)}`, ready.includes(503));
  }
  report.check(
    'ready again at the end',
    (await waitFor(async () => (await statusOf(`${url}/health/ready`)) === 200, BACK_WITHIN_MS)) !== undefined,
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
