import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { bodyOf, closedLoop, pause, post, waitFor, type Answer } from '../test/robustness/client.ts';
import { Report, tally } from '../test/robustness/report.ts';
import { startNginx, type NginxOptions, type RunningNginx } from '../test/running-nginx.ts';
import { startService, type RunningService } from '../test/running-service.ts';
import { log, report as writeReport } from './report.ts';

const REPLICAS = 3;
/** Two for each replica and two that wait, so that whichever replica goes has pages at work and none is ever full. */
const CLIENTS = 8;
/** Pages that are read under overload before it ends. */
const OVERLOAD_READS = 30;
/** For each wait; everything ends, whatever the service does. */
const GIVE_UP_MS = 60_000;
/** What a client does that wants its answer: it asks again so often, after the time that `Retry-After` says. */
const CLIENT_TRIES = 30;

/** A request takes a few hundred milliseconds with it, so that a kill finds some at work. */
const BODY = bodyOf(readFileSync(new URL('../docs/images/sample.png', import.meta.url)));

/** Replicas that can be ended and started again in their place, behind nginx. */
interface Fleet {
  readonly replicas: RunningService[];
  readonly nginx: RunningNginx;
}

/** What came of requests while something happened to the replicas. */
interface Outcome {
  readonly answers: readonly Answer[];
  /** Requests that nginx sent to a second replica. */
  readonly sentAgain: number;
  readonly exitCodes: readonly (number | null)[];
}

const SETTINGS = { OCR_ENGINE_PROCESSES: '1', OCR_TRUSTED_PROXIES: '127.0.0.1' } as const;

interface FleetOptions {
  readonly change?: NginxOptions['change'];
  readonly settings?: Readonly<Record<string, string>>;
}

async function withFleet<T>(size: number, use: (fleet: Fleet) => Promise<T>, options: FleetOptions = {}): Promise<T> {
  const replicas: RunningService[] = [];
  let nginx: RunningNginx | undefined;
  try {
    for (let i = 0; i < size; i++) replicas.push(await startService({ ...SETTINGS, ...options.settings }));
    nginx = await startNginx(
      replicas.map(({ url }) => new URL(url).host),
      { change: options.change },
    );
    return await use({ replicas, nginx });
  } finally {
    await nginx?.stop();
    await Promise.all(
      replicas.map(async (one) => one.process.exitCode ?? one.process.signalCode ?? (await one.stop())),
    );
  }
}

/** Ends a replica, waits until it is gone, and starts it again at the same address. Others go on meanwhile. */
async function replace(
  { replicas }: Fleet,
  index: number,
  signal: 'SIGKILL' | 'SIGTERM',
  whileGone: () => Promise<void>,
): Promise<number | null> {
  const replica = replicas[index];
  const exited = once(replica.process, 'exit');
  replica.process.kill(signal);
  const [code] = (await exited) as [number | null];
  await whileGone();
  replicas[index] = await startService({ ...SETTINGS, PORT: new URL(replica.url).port });
  return code;
}

/** Ends one replica after the other, `times` in all, under the load of clients that never ask twice. */
async function endOneAfterTheOther(fleet: Fleet, times: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<Outcome> {
  const answers: Answer[] = [];
  const stop = new AbortController();
  const load = closedLoop(fleet.nginx.url, BODY, CLIENTS, stop.signal, (answer) => answers.push(answer));
  const more = async (count: number): Promise<void> => {
    const enough = answers.length + count;
    const came = await waitFor(async () => answers.length >= enough, GIVE_UP_MS);
    if (came === undefined) throw new Error(`no ${count} answers within ${GIVE_UP_MS} ms`);
  };
  const exitCodes: (number | null)[] = [];
  try {
    for (let i = 0; i < times; i++) {
      await more(2 * CLIENTS);
      // A kill is found out by requests; a restart goes on as soon as it can.
      const whileGone = signal === 'SIGKILL' ? () => more(2 * CLIENTS) : async () => undefined;
      exitCodes.push(await replace(fleet, i % fleet.replicas.length, signal, whileGone));
    }
    await more(2 * CLIENTS);
  } finally {
    stop.abort();
    await load;
  }
  const sentAgain = fleet.nginx.accessLog().filter(({ replicas }) => replicas.includes(',')).length;
  return { answers, sentAgain, exitCodes };
}

/** One replica alone, killed under clients that ask again after 503 as it says. @returns every first and last answer */
async function killTheOnlyOne(fleet: Fleet): Promise<{ refusals: Answer[]; last: Answer[] }> {
  const refusals: Answer[] = [];
  const last: Answer[] = [];
  let halt = false;
  const client = async (): Promise<void> => {
    while (!halt) {
      for (let i = 1; ; i++) {
        const answer = await post(fleet.nginx.url, BODY);
        if (answer.status === 200 || i === CLIENT_TRIES) {
          last.push(answer);
          break;
        }
        refusals.push(answer);
        await pause(1000 * Number(answer.retryAfter ?? 1));
      }
    }
  };
  const clients = Promise.all(Array.from({ length: 2 }, client));
  try {
    await waitFor(async () => last.length >= 2, GIVE_UP_MS);
    await replace(fleet, 0, 'SIGKILL', async () => {
      await waitFor(async () => refusals.length >= 2, GIVE_UP_MS);
    });
  } finally {
    halt = true;
    await clients;
  }
  return { refusals, last };
}

/** Far more clients than there are places. */
async function overload({ nginx }: Fleet): Promise<Answer[]> {
  const answers: Answer[] = [];
  const stop = new AbortController();
  const load = closedLoop(nginx.url, BODY, 3 * CLIENTS, stop.signal, (answer) => answers.push(answer));
  const read = (): number => answers.filter(({ status }) => status === 200).length;
  await waitFor(async () => read() >= OVERLOAD_READS, GIVE_UP_MS);
  stop.abort();
  await load;
  return answers;
}

/** An operator who leaves out what lets a POST be sent again. */
const withoutNonIdempotent: NginxOptions['change'] = (config) => {
  const changed = config.replace(' non_idempotent;', ';');
  if (changed === config) throw new Error('general-ocr.conf does not say non_idempotent');
  return changed;
};

const mayRetry = ({ status, retryAfter }: Answer): boolean => status === 503 && retryAfter !== undefined;

const codes = (answers: readonly Answer[]): string => tally(answers.map(({ status, code }) => `${status} ${code}`));

function checkNoneLost(report: Report, what: string, { answers, sentAgain }: Outcome): void {
  const lost = answers.filter(({ status }) => status !== 200).length;
  report.check(`${what}: ${answers.length} requests: ${codes(answers)}; lost: ${lost}`, lost === 0);
  const texts = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body));
  report.check(`… every answer is the same, of ${texts.size} kind`, texts.size === 1);
  report.note(`${sentAgain} requests were sent to a second replica by nginx`);
}

async function checkKills(report: Report, times: number): Promise<Row[]> {
  log(`replicas: kill -9 of one replica after the other, ${times} times`);
  const killed = await withFleet(REPLICAS, (fleet) => endOneAfterTheOther(fleet, times, 'SIGKILL'));
  checkNoneLost(report, `kill -9 of one replica after the other, ${times} times`, killed);
  report.check(`… requests met a replica that was gone: ${killed.sentAgain}`, killed.sentAgain >= times);

  log('replicas: the same once, without non_idempotent');
  const control = await withFleet(REPLICAS, (fleet) => endOneAfterTheOther(fleet, 1, 'SIGKILL'), {
    change: withoutNonIdempotent,
  });
  const lost = control.answers.filter(({ status }) => status !== 200);
  report.check(`… without non_idempotent some are lost, so the count can tell: ${codes(lost)}`, lost.length > 0);
  report.check('… each of them 503 with Retry-After', lost.every(mayRetry));
  return [rowOf('`kill -9`', killed), rowOf('`kill -9`, without `non_idempotent`', control)];
}

async function checkRollingRestart(report: Report, times: number): Promise<Row> {
  log(`replicas: rolling restart, ${times} times`);
  const rolled = await withFleet(REPLICAS, (fleet) => endOneAfterTheOther(fleet, times, 'SIGTERM'));
  checkNoneLost(report, `SIGTERM and restart of one replica after the other, ${times} times`, rolled);
  const exits = tally(rolled.exitCodes.map(String));
  report.check(
    `… exit codes: ${exits}`,
    rolled.exitCodes.every((code) => code === 0),
  );
  return rowOf('SIGTERM and restart', rolled);
}

async function checkOnlyReplica(report: Report): Promise<void> {
  log('replicas: kill -9 of the only replica');
  const { refusals, last } = await withFleet(1, killTheOnlyOne);
  report.check(
    `kill -9 of the only replica, clients that ask again: ${codes(last)} in the end`,
    last.length > 0 && last.every(({ status }) => status === 200),
  );
  report.check(`… meanwhile ${codes(refusals)}, all with Retry-After`, refusals.length > 0 && refusals.every(mayRetry));
}

async function checkOverload(report: Report): Promise<void> {
  log('replicas: overload');
  const answers = await withFleet(REPLICAS, overload, { settings: { OCR_QUEUE_LENGTH: '1' } });
  const [read, refused] = [200, 429].map((status) => answers.filter((answer) => answer.status === status));
  report.check(
    `more clients than places: ${codes(answers)}, nothing else`,
    read.length >= OVERLOAD_READS && refused.length > 0 && read.length + refused.length === answers.length,
  );
  report.check(
    '… each 429 with Retry-After',
    refused.every(({ retryAfter }) => retryAfter !== undefined),
  );
}

/**
 * Kills, restarts and overloads replicas under load, with deploy/nginx/general-ocr.conf in front. Counts are judged, times are not.
 *
 * @param short once round the replicas instead of twice, for CI
 * @returns how many checks failed
 */
export async function checkReplicaFaults(outDir: string, short: boolean): Promise<number> {
  const report = new Report();
  const times = (short ? 1 : 2) * REPLICAS;
  const rows = [...(await checkKills(report, times)), await checkRollingRestart(report, times)];
  await checkOnlyReplica(report);
  await checkOverload(report);
  await writeReport(outDir, 'replica-faults', { short, clients: CLIENTS, replicas: REPLICAS, rows }, rows);
  return report.finish();
}

type Row = Readonly<Record<string, string | number>>;

const rowOf = (what: string, { answers, sentAgain, exitCodes }: Outcome): Row => ({
  what,
  times: exitCodes.length,
  requests: answers.length,
  answers: codes(answers),
  'sent to a second replica': sentAgain,
});
