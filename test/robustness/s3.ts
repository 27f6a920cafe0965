import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { startService, type RunningService } from '../running-service.ts';
import { post, waitFor, type Answer } from './client.ts';
import { openSockets, pidOf } from './processes.ts';
import { milliseconds, percentile, Report, tally } from './report.ts';

const REFUSED_WITHIN_MS = 1000;
const FETCH_TIMEOUT_MS = 3000;
const TIME_TOLERANCE_MS = 500;
const MAX_IMAGE_BYTES = 1_048_576;
const AT_A_TIME = 8;
/** Sockets that the SDK may keep for the next request: its pool holds 50. */
const POOL_SOCKETS = 50;
const ACCESS_KEY = 'robustness-key';
const SECRET_KEY = randomUUID();

/** How the way to the store behaves: as it is, or a byte now and then once the answer has begun. */
type Pace = 'straight' | 'drip';

/** A TCP relay in front of the store: it counts connections and can be slow. */
class Relay {
  connections = 0;
  requests = 0;
  open = 0;
  pace: Pace = 'straight';
  readonly #server = net.createServer((client) => this.#relay(client));
  readonly #target: number;

  constructor(target: number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #relay(client: Socket): void {
    this.connections += 1;
    this.open += 1;
    const store = net.connect(this.#target, '127.0.0.1');
    client.on('error', () => store.destroy());
    store.on('error', () => client.destroy());
    client.on('close', () => {
      this.open -= 1;
      store.destroy();
    });
    // The store closes when it has given all; while that drips on, the client must not notice.
    store.on('close', () => this.pace === 'straight' && client.end());
    client.on('data', (data: Buffer) => {
      this.requests += data.toString('latin1').split(/^GET /m).length - 1;
      store.write(data);
    });
    store.on('data', (data: Buffer) => (this.pace === 'straight' ? client.write(data) : this.#drip(data, client)));
  }

  /** The headers at once, the body a byte every 50 ms. */
  #drip(data: Buffer, client: Socket): void {
    const end = data.indexOf('\r\n\r\n');
    const body = end < 0 ? data : data.subarray(end + 4);
    if (end >= 0) client.write(data.subarray(0, end + 4));
    let at = 0;
    const timer = setInterval(() => {
      if (at < body.length) client.write(body.subarray(at, (at += 1)));
    }, 50);
    client.once('close', () => clearInterval(timer));
  }
}

/** A bucket is a folder, an object a file. */
async function startStore(folder: string): Promise<{ gateway: ChildProcess; port: number }> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const gateway = spawn(process.env.VERSITYGW ?? 'versitygw', ['--port', `127.0.0.1:${port}`, 'posix', folder], {
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    stdio: 'ignore',
  });
  await once(gateway, 'spawn');
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  if ((await waitFor(answers, 20_000)) === undefined) throw new Error('versitygw did not answer within 20 s');
  return { gateway, port };
}

const kind = ({ status, code }: Answer): string => `${status} ${code}`;
const slowest = (answers: readonly Answer[]): number => Math.max(...answers.map(({ ms }) => ms));

const REFUSED = ['s3://../pictures/sample.png', 's3://bucket', 's3://user:pw@bucket/key', 's3://bucket/%2e%2e/x'];

/** `s3 [VECTORS.json] [--requests 1000]`; needs `versitygw` on the PATH or in VERSITYGW. */
export async function run(args: readonly string[]): Promise<Report> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { requests: { type: 'string', default: '1000' } },
  });
  const rows =
    positionals[0] === undefined
      ? REFUSED
      : (JSON.parse(readFileSync(positionals[0], 'utf8')) as { s3_refused: string[] }).s3_refused;
  const report = new Report();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'general-ocr-s3-'));
  for (const bucket of ['pictures', 'secrets']) {
    mkdirSync(path.join(folder, bucket));
    writeFileSync(path.join(folder, bucket, 'sample.png'), Buffer.from(SAMPLE_IMAGE_BASE64, 'base64'));
  }
  writeFileSync(path.join(folder, 'pictures', 'large.png'), Buffer.alloc(MAX_IMAGE_BYTES + 1));
  const { gateway, port } = await startStore(folder);
  const relay = new Relay(port);
  const settings = {
    OCR_ENGINE_PROCESSES: '2',
    OCR_S3_ENDPOINT: `http://127.0.0.1:${await relay.listen()}`,
    OCR_S3_FORCE_PATH_STYLE: 'true',
    OCR_S3_BUCKETS: 'pictures',
    OCR_MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES),
    OCR_FETCH_TIMEOUT_MS: String(FETCH_TIMEOUT_MS),
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  const service = await startService(settings);
  const ask = (url: string, of: RunningService = service): Promise<Answer> => post(of.url, JSON.stringify({ url }));

  const refused: Answer[] = [];
  for (const row of [...rows, 's3://secrets/sample.png']) refused.push(await ask(row));
  report.check(
    `${refused.length} names that are refused: ${tally(refused.map(kind))}, after ${milliseconds(slowest(refused))} at most (${REFUSED_WITHIN_MS} ms); connections to the store: ${relay.connections}`,
    refused.every(({ status }) => status === 400) && slowest(refused) <= REFUSED_WITHIN_MS && relay.connections === 0,
  );

  const bare = await startService({ ...settings, AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
  const without = [await ask('s3://pictures/sample.png', bare), await ask('s3://pictures/missing.png', bare)];
  report.check(
    `without credentials: ${tally(without.map(kind))}, after ${milliseconds(slowest(without))} at most; connections to the store: ${relay.connections}`,
    without.every(({ status }) => status === 400) && slowest(without) <= REFUSED_WITHIN_MS && relay.connections === 0,
  );
  report.check('that server ends with 0', (await bare.stop()) === 0);

  const missing = [await ask('s3://pictures/missing.png'), await ask('s3://pictures/large.png')];
  report.check(
    `a missing object and one byte over the limit: ${tally(missing.map(kind))}`,
    missing.map(({ status }) => status).join() === '400,413',
  );

  relay.pace = 'drip';
  const dripped = await Promise.all([ask('s3://pictures/sample.png'), ask('s3://pictures/sample.png')]);
  report.check(
    `a body that drips: ${tally(dripped.map(kind))} after ${milliseconds(slowest(dripped))} (limit ${FETCH_TIMEOUT_MS} ms)`,
    dripped.every(({ status, ms }) => status === 504 && Math.abs(ms - FETCH_TIMEOUT_MS) <= TIME_TOLERANCE_MS),
  );
  relay.pace = 'straight';

  const socketsBefore = openSockets(pidOf(service.process));
  const requestsBefore = relay.requests;
  // A third of them are good; the others end in every way that leaves an answer unread.
  const objects = ['sample.png', 'missing.png', 'large.png'];
  const answers: Answer[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < Number(values.requests)) {
      sent += 1;
      answers.push(await ask(`s3://pictures/${objects[sent % objects.length]}`));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  const sockets = openSockets(pidOf(service.process)) - socketsBefore;
  report.note(
    `${answers.length} requests (${relay.requests - requestsBefore} reached the store): ${tally(answers.map(kind))}; p99 ${milliseconds(
      percentile(
        answers.map(({ ms }) => ms),
        0.99,
      ),
    )}`,
  );
  report.check(
    `sockets of the server process: ${sockets} more than before; open at the store: ${relay.open} (at most ${AT_A_TIME}, of ${POOL_SOCKETS} that the SDK may keep)`,
    sockets <= AT_A_TIME && relay.open <= AT_A_TIME,
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  report.check(
    `open at the store afterwards: ${relay.open}`,
    (await waitFor(async () => relay.open === 0, 1000)) !== undefined,
  );
  gateway.kill();
  relay.close();
  rmSync(folder, { recursive: true });
  return report;
}
