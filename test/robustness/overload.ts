import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { startService } from '../running-service.ts';
import { closedLoop, codeIn, pause, SAMPLE_BODY, statusOf } from './client.ts';
import { pidOf, serviceBytes } from './processes.ts';
import { megabytes, milliseconds, percentile, Report, tally } from './report.ts';

const REFUSAL_P99_MS = 50;
const MIN_SHARE_OF_CAPACITY = 0.9;
/** Time for measuring what the service can do; long enough for some hundred small pictures. */
const CAPACITY_SECONDS = 8;
const TICK_MS = 5;

/** Answers a second when the engine always has work and nobody waits long. */
async function measureCapacity(url: string, processes: number): Promise<number> {
  let read = 0;
  await closedLoop(url, SAMPLE_BODY, 2 * processes, AbortSignal.timeout(CAPACITY_SECONDS * 1000), ({ status }) => {
    if (status === 200) read += 1;
  });
  return read / CAPACITY_SECONDS;
}

/** An answer and when it was there, in milliseconds since the load began. */
interface Timed {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | undefined;
  /** From sending to the end of the answer, in milliseconds. */
  readonly ms: number;
  readonly doneAt: number;
}

interface OpenLoop {
  readonly answers: readonly Timed[];
  /** 200s that came while requests were still being sent. */
  readonly readInTime: number;
}

/**
 * Sends at a fixed rate, whatever becomes of the requests before. It shares the machine with the service, so it sends
 * with undici: node:http takes 1.4 times the processor time for a request, and what it takes the service has not.
 */
async function openLoop(url: string, perSecond: number, seconds: number): Promise<OpenLoop> {
  const pool = new Pool(url, { connections: null, pipelining: 1 });
  const body = Buffer.from(SAMPLE_BODY);
  const headers = { 'content-type': 'application/json' };
  const open: Promise<void>[] = [];
  const answers: Timed[] = [];
  let readInTime = 0;
  const start = performance.now();
  const send = async (): Promise<void> => {
    const sentAt = performance.now();
    let seen: Omit<Timed, 'ms' | 'doneAt'>;
    try {
      const answer = await pool.request({ path: '/general_ocr', method: 'POST', headers, body });
      const retryAfter = answer.headers['retry-after'];
      const code = codeIn(answer.statusCode, await answer.body.text());
      seen = { status: answer.statusCode, code, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
    } catch (error) {
      seen = { status: 0, code: error instanceof Error ? error.name : String(error), retryAfter: undefined };
    }
    const now = performance.now();
    answers.push({ ...seen, ms: now - sentAt, doneAt: now - start });
    if (seen.status === 200 && now - start <= seconds * 1000) readInTime += 1;
  };
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - start) {
    for (const due = (elapsed / 1000) * perSecond; open.length < due;) open.push(send());
    await pause(TICK_MS);
  }
  await Promise.all(open);
  await pool.close();
  return { answers, readInTime };
}

/** Pictures a second in the slowest stretch of so many milliseconds while the load lasts. */
function slowestRate(read: readonly Timed[], stretchMs: number, seconds: number): number {
  let fewest = Infinity;
  for (let from = 0; from + stretchMs <= seconds * 1000; from += stretchMs / 10) {
    fewest = Math.min(fewest, read.filter(({ doneAt }) => doneAt > from && doneAt <= from + stretchMs).length);
  }
  return (1000 * fewest) / stretchMs;
}

/** The most pictures that were answered while one accepted request waited for its own. */
function mostOvertaken(read: readonly Timed[]): number {
  return Math.max(
    ...read.map(({ doneAt, ms }) => read.filter((other) => other.doneAt > doneAt - ms && other.doneAt < doneAt).length),
  );
}

/** `overload [--seconds 20] [--factor 10] [--processes 2] [--queue 32]` */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '20' },
      factor: { type: 'string', default: '10' },
      processes: { type: 'string', default: '2' },
      queue: { type: 'string', default: '32' },
    },
  });
  const [seconds, factor, processes, queue] = [values.seconds, values.factor, values.processes, values.queue].map(
    Number,
  );
  const report = new Report();
  const service = await startService({
    OCR_ENGINE_PROCESSES: values.processes,
    OCR_QUEUE_LENGTH: values.queue,
  });
  await measureCapacity(service.url, processes);
  const capacity = await measureCapacity(service.url, processes);
  report.note(
    `capacity ${capacity.toFixed(1)} pictures/s with ${processes} engine processes; sent ${factor} times as many for ${seconds} s`,
  );

  const { answers, readInTime } = await openLoop(service.url, factor * capacity, seconds);
  const read = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  report.note(`${answers.length} requests: ${tally(answers.map(({ code }) => code))}`);
  report.check(
    `answered 200, or 429 with Retry-After: ${read.length + refused.length} of ${answers.length}`,
    read.length + refused.filter(({ retryAfter }) => Number(retryAfter) >= 1).length === answers.length,
  );
  const refusedMs = refused.map(({ ms }) => ms);
  const refusedP99 = percentile(refusedMs, 0.99);
  report.check(
    `refusals: median ${milliseconds(percentile(refusedMs, 0.5))}, p99 ${milliseconds(refusedP99)} (at most ${REFUSAL_P99_MS} ms)`,
    refusedP99 <= REFUSAL_P99_MS,
  );
  const throughput = readInTime / seconds;
  report.check(
    `accepted throughput ${throughput.toFixed(1)}/s, ${((100 * throughput) / capacity).toFixed(0)} % of capacity (at least ${100 * MIN_SHARE_OF_CAPACITY} %)`,
    throughput >= MIN_SHARE_OF_CAPACITY * capacity,
  );
  // Requests are read in the order in which they came, so one waits for the places before it and no more: that holds
  // on any machine. In time it is those places at the rate of the stretch in which it waited; a place takes from 1 / rate.
  const places = processes + queue;
  const overtaken = mostOvertaken(read);
  report.check(
    `pictures answered while an accepted one waited: ${overtaken} at most (${places} places, ${processes} of them at work)`,
    overtaken <= places + processes,
  );
  const nominalMs = (1000 * places) / Math.min(capacity, throughput);
  const stretchMs = Math.min(nominalMs, 500 * seconds);
  const boundMs = (1000 * places) / slowestRate(read, stretchMs, seconds);
  const readP99 = percentile(
    read.map(({ ms }) => ms),
    0.99,
  );
  report.check(
    `accepted requests p99 ${milliseconds(readP99)}; ${places} places take ${milliseconds(nominalMs)} at the mean rate, ${milliseconds(boundMs)} at that of the slowest ${milliseconds(stretchMs)}`,
    readP99 <= boundMs,
  );
  report.note(`resident ${megabytes(serviceBytes(pidOf(service.process)))} in all processes`);
  report.check('the server is ready', (await statusOf(`${service.url}/health/ready`)) === 200);
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
