import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import zlib from 'node:zlib';
import { startService } from '../running-service.ts';
import { closedLoop, post, SAMPLE_BODY, waitFor, type Answer } from './client.ts';
import { peakBytes, pidOf } from './processes.ts';
import { megabytes, milliseconds, percentile, Report, tally } from './report.ts';

const MAX_IMAGE_BYTES = 1_048_576;
const FETCH_TIMEOUT_MS = 3000;
const BYTES_TOLERANCE = 65_536;
const TIME_TOLERANCE_MS = 500;
const GIGABYTE = 2 ** 30;
const block = Buffer.alloc(65_536, 0x55);

function drip(response: http.ServerResponse): void {
  const timer = setInterval(() => response.write('x'), 50);
  response.once('close', () => clearInterval(timer));
}

/** Writes as fast as it is read, `bytes` at most. */
function pour(response: http.ServerResponse, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= block.length;
      if (!response.write(block)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}

const HANDLERS: Readonly<Record<string, http.RequestListener>> = {
  '/silent': () => undefined,
  '/drip': (_request, response) => drip(response),
  '/drip-length': (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    drip(response);
  },
  '/endless': (_request, response) => pour(response, Infinity),
  '/gigabyte': (_request, response) => pour(response, GIGABYTE),
  '/gigabyte-announced': (_request, response) => {
    response.writeHead(200, { 'content-length': GIGABYTE });
    pour(response, GIGABYTE);
  },
  '/gzip-bomb': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(zlib.gzipSync(Buffer.alloc(100_000_000)));
  },
  '/redirects': (_request, response) => response.writeHead(302, { location: '/redirects' }).end(),
  '/slow-redirects': (_request, response) => {
    setTimeout(() => response.writeHead(302, { location: '/slow-redirects' }).end(), 1000);
  },
};

interface Case {
  readonly path: string;
  readonly status: number;
  readonly code: string;
  /** Answered at the time limit of fetching, not before; otherwise well before. */
  readonly atLimit: boolean;
}

const CASES: readonly Case[] = [
  { path: '/silent', status: 504, code: 'DEADLINE_EXCEEDED', atLimit: true },
  { path: '/drip', status: 504, code: 'DEADLINE_EXCEEDED', atLimit: true },
  { path: '/drip-length', status: 504, code: 'DEADLINE_EXCEEDED', atLimit: true },
  { path: '/slow-redirects', status: 504, code: 'DEADLINE_EXCEEDED', atLimit: true },
  { path: '/endless', status: 413, code: 'BODY_TOO_LARGE', atLimit: false },
  { path: '/gigabyte', status: 413, code: 'BODY_TOO_LARGE', atLimit: false },
  { path: '/gigabyte-announced', status: 413, code: 'BODY_TOO_LARGE', atLimit: false },
  { path: '/gzip-bomb', status: 400, code: 'SOURCE_UNAVAILABLE', atLimit: false },
  { path: '/redirects', status: 400, code: 'SOURCE_UNAVAILABLE', atLimit: false },
];

function checkCase(report: Report, { path, status, code, atLimit }: Case, answer: Answer): void {
  const inTime = atLimit
    ? Math.abs(answer.ms - FETCH_TIMEOUT_MS) <= TIME_TOLERANCE_MS
    : answer.ms <= FETCH_TIMEOUT_MS - TIME_TOLERANCE_MS;
  const read = /at least (\d+) bytes/.exec(answer.body)?.[1];
  const over = read === undefined ? 0 : Number(read) - MAX_IMAGE_BYTES;
  report.check(
    `${path}: ${answer.status} ${answer.code} after ${milliseconds(answer.ms)}` +
      (read === undefined ? '' : `, stopped ${over} bytes over the limit`),
    answer.status === status && answer.code === code && inTime && over <= BYTES_TOLERANCE,
  );
}

/** `origins`: addresses whose answer drips, never ends or is a bomb, all at the same time, with good requests beside them. */
export async function run(): Promise<Report> {
  const sockets = new Set<Socket>();
  const origin = http.createServer((request, response) => HANDLERS[request.url ?? '']?.(request, response));
  origin.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const { port } = origin.address() as AddressInfo;
  const report = new Report();
  const service = await startService({
    OCR_ENGINE_PROCESSES: '1',
    OCR_SOURCE_ALLOW: `127.0.0.1:${port}`,
    OCR_MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES),
    OCR_FETCH_TIMEOUT_MS: String(FETCH_TIMEOUT_MS),
  });
  const before = peakBytes(pidOf(service.process));
  report.note(
    `limits: ${MAX_IMAGE_BYTES} bytes, ${FETCH_TIMEOUT_MS} ms; tolerance ${BYTES_TOLERANCE} bytes, ${TIME_TOLERANCE_MS} ms`,
  );
  const stop = new AbortController();
  const good: Answer[] = [];
  const load = closedLoop(service.url, SAMPLE_BODY, 1, stop.signal, (answer) => good.push(answer));
  const answers = await Promise.all(
    CASES.map(({ path }) => post(service.url, JSON.stringify({ url: `http://127.0.0.1:${port}${path}` }))),
  );
  stop.abort();
  await load;
  CASES.forEach((each, index) => checkCase(report, each, answers[index]));
  const times = good.map(({ ms }) => ms);
  report.check(
    `good requests meanwhile: ${tally(good.map(({ code }) => code))}, p99 ${milliseconds(percentile(times, 0.99))}`,
    good.every(({ status }) => status === 200),
  );
  const closedMs = await waitFor(async () => sockets.size === 0, 1000);
  report.check(`connections to the origin still open: ${sockets.size}`, closedMs !== undefined);
  report.note(
    `server process: highest resident memory ${megabytes(before)} before, ${megabytes(peakBytes(pidOf(service.process)))} after`,
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  origin.close();
  return report;
}
