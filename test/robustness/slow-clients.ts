import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startService } from '../running-service.ts';
import { pause, post, statusOf, waitFor, type Answer } from './client.ts';
import { startGoodRequests } from './good-requests.ts';
import { peakBytes, pidOf } from './processes.ts';
import { megabytes, milliseconds, percentile, Report, tally } from './report.ts';

/** The clients' own limit here; the default is 30 s, which would only make the script longer. */
const BODY_TIMEOUT_MS = 5000;
const TIME_TOLERANCE_MS = 500;
const MAX_SLOWDOWN = 2;
/** So many that their p99 is not the slowest of them. */
const LEAST_GOOD = 150;
const DRIP_MS = 200;
/** Four of the largest requests (src/app.ts) with what they take for moments, against the same without. */
const MAX_BODIES_GROWTH_BYTES = 600e6;

const HEAD = 'POST /general_ocr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';

/** A connection of an impolite client: what it was sent, and when it was closed. */
class SlowClient {
  readonly socket: Socket;
  /** When the service took the connection: a thousand at once have to wait for that. */
  openedAt = performance.now();
  closedMs: number | undefined;
  text = '';

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.on('error', () => undefined);
    this.socket.once('connect', () => (this.openedAt = performance.now()));
    this.socket.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.socket.once('close', () => (this.closedMs = performance.now() - this.openedAt));
  }

  get status(): string {
    return /^HTTP\/1\.1 (\d+)/.exec(this.text)?.[1] ?? 'none';
  }

  drip(text: string): void {
    const timer = setInterval(() => this.socket.write(text), DRIP_MS);
    this.socket.once('close', () => clearInterval(timer));
  }

  /** Writes all of it, as fast as it is taken. */
  async send(data: string | Buffer): Promise<void> {
    if (this.socket.destroyed || this.socket.write(data)) return;
    // A service that closes in the middle is an answer too.
    await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]).catch(() => undefined);
  }
}

const open = (url: string, count: number, start: (client: SlowClient) => void): SlowClient[] =>
  Array.from({ length: count }, () => {
    const client = new SlowClient(url);
    start(client);
    return client;
  });

const p99 = (answers: readonly Answer[]): number =>
  percentile(
    answers.map(({ ms }) => ms),
    0.99,
  );

/** Runs something impolite with good requests beside it, again and again until enough of them were answered. */
async function beside(
  report: Report,
  what: string,
  url: string,
  usualMs: number,
  work: () => Promise<void>,
): Promise<void> {
  const good = startGoodRequests(url);
  do await work();
  while (good.answered < LEAST_GOOD);
  const answers = await good.stop();
  report.check(
    `${what}: good requests ${tally(answers.map(({ code }) => code))}, p99 ${milliseconds(p99(answers))} (usually ${milliseconds(usualMs)})`,
    answers.every(({ status }) => status === 200) && p99(answers) <= MAX_SLOWDOWN * usualMs,
  );
}

async function closedInTime(report: Report, what: string, clients: readonly SlowClient[]): Promise<void> {
  await waitFor(async () => clients.every(({ closedMs }) => closedMs !== undefined), 2 * BODY_TIMEOUT_MS);
  const longest = Math.max(...clients.map(({ closedMs }) => closedMs ?? Infinity));
  report.check(
    `${clients.length} ${what}: answered ${tally(clients.map(({ status }) => status))}, closed after ${milliseconds(longest)} at most (limit ${BODY_TIMEOUT_MS} ms)`,
    longest <= BODY_TIMEOUT_MS + TIME_TOLERANCE_MS,
  );
}

/** One-byte chunks of a JSON text, a megabyte of socket at a time. */
async function sendOneByteChunks(client: SlowClient, count: number): Promise<void> {
  await client.send(`${HEAD}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n"\r\n`);
  const some = '1\r\na\r\n'.repeat(10_000);
  for (let sent = 0; sent < count; sent += 10_000) await client.send(some);
  await client.send('1\r\n"\r\n1\r\n:\r\n1\r\n1\r\n1\r\n}\r\n0\r\n\r\n');
}

/** `slow-clients [--sockets 1000] [--chunks 1000000] [--arrays 5000000] [--bodies 40]` */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sockets: { type: 'string', default: '1000' },
      chunks: { type: 'string', default: '1000000' },
      arrays: { type: 'string', default: '5000000' },
      bodies: { type: 'string', default: '40' },
    },
  });
  const report = new Report();
  const service = await startService({
    OCR_ENGINE_PROCESSES: '1',
    OCR_BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS),
  });
  const { url } = service;
  const usual = startGoodRequests(url);
  await waitFor(async () => usual.answered >= LEAST_GOOD, LEAST_GOOD * 1000);
  const usualMs = p99(await usual.stop());

  await beside(report, 'silent sockets, dripping headers, stalled bodies', url, usualMs, async () => {
    const silent = open(url, Number(values.sockets), () => undefined);
    const dripping = open(url, 100, (client) => {
      client.socket.write(HEAD);
      client.drip('x-a: b\r\n');
    });
    const stalled = open(url, 100, ({ socket }) => socket.write(`${HEAD}content-length: 1000000\r\n\r\n{"img":"`));
    const drippingBodies = open(url, 100, (client) => {
      client.socket.write(`${HEAD}content-length: 1000000\r\n\r\n`);
      client.drip('x');
    });
    await closedInTime(report, 'silent sockets', silent);
    await closedInTime(report, 'clients that drip headers', dripping);
    await closedInTime(report, 'clients that stall in the body', stalled);
    await closedInTime(report, 'clients that drip their body', drippingBodies);
  });

  await beside(report, `${values.chunks} chunks of one byte`, url, usualMs, async () => {
    const [client] = open(url, 1, () => undefined);
    await sendOneByteChunks(client, Number(values.chunks));
    await waitFor(async () => client.status !== 'none', 2 * BODY_TIMEOUT_MS);
    report.check(
      `${values.chunks} chunks of one byte: ${client.status} after ${milliseconds(performance.now() - client.openedAt)}`,
      client.status === '400',
    );
    client.socket.destroy();
  });

  await beside(report, `${values.arrays} nested arrays`, url, usualMs, async () => {
    const depth = Number(values.arrays);
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    for (const body of [nested, `{"img":${nested}}`, `{"img":"${'['.repeat(depth)}","x":${nested}}`]) {
      const answer = await post(url, body);
      report.check(
        `${depth} nested arrays: ${answer.status} ${answer.code} after ${milliseconds(answer.ms)}`,
        answer.status === 400,
      );
    }
  });

  const before = peakBytes(pidOf(service.process));
  await beside(report, `${values.bodies} bodies of 20 of 70 MB that stall`, url, usualMs, async () => {
    const part = Buffer.alloc(20_000_000, 0x61);
    const clients = open(url, Number(values.bodies), ({ socket }) =>
      socket.write(`${HEAD}content-length: 70000000\r\n\r\n{"img":"`),
    );
    await Promise.all(clients.map((client) => client.send(part)));
    await pause(500);
    report.note(
      `${values.bodies} bodies of 20 of 70 MB: answered ${tally(clients.map(({ status }) => status))}, the others wait`,
    );
    for (const { socket } of clients) socket.destroy();
  });
  const grown = peakBytes(pidOf(service.process)) - before;
  report.check(
    `highest resident memory of the server process: ${megabytes(before)} before, ${megabytes(grown)} more with them`,
    grown <= MAX_BODIES_GROWTH_BYTES,
  );
  report.check('the server is ready', (await statusOf(`${url}/health/ready`)) === 200);
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
