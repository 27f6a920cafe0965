import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { PNG_SIGNATURE } from '../png-chunk.ts';
import { startService, type RunningService } from '../running-service.ts';
import { post, waitFor, type Answer } from './client.ts';
import { childrenOf, pidOf } from './processes.ts';
import { Report, tally } from './report.ts';

/** Strings that no log, metric or answer may show. Letters only, so that no encoding of an address changes them. */
const canary = (where: string): string => `canary${where}${randomBytes(8).toString('hex').replace(/\d/g, 'x')}`;

const CANARIES = {
  body: canary('body'),
  image: canary('image'),
  password: canary('password'),
  query: canary('query'),
  fragment: canary('fragment'),
  redirect: canary('redirect'),
  awsSecret: canary('aws'),
  awsToken: canary('token'),
  endpointPassword: canary('endpoint'),
  key: canary('key'),
  wrongKey: canary('wrong'),
  cookie: canary('cookie'),
} as const;

/** The forms in which a secret may come out again: as it is, in base64 at each of the three offsets, and in hex. */
function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.from(' '.repeat(offset) + secret)
      .toString('base64')
      .slice(4, -4),
  );
  return [secret, ...base64, Buffer.from(secret).toString('hex')];
}

interface Seen {
  readonly place: string;
  readonly text: string;
}

function hits(seen: readonly Seen[]): string[] {
  const found: string[] = [];
  for (const [name, secret] of Object.entries(CANARIES)) {
    for (const { place, text } of seen) {
      if (formsOf(secret).some((form) => text.includes(form))) found.push(`${name} in ${place}`);
    }
  }
  return found;
}

/** A raw request of bytes that no client would send; gives the whole answer. */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

const image = (bytes: Buffer): string => JSON.stringify({ img: bytes.toString('base64'), note: CANARIES.body });
const png = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat([PNG_SIGNATURE, ...parts.map((part) => Buffer.from(part))]);

/** Bodies that are refused, each in a way of its own, each with secrets in it. */
function bodies(origin: string): string[] {
  const { body, image: inside, password, query, fragment } = CANARIES;
  const url = (text: string): string => JSON.stringify({ url: text });
  return [
    `{"img": ${body}`,
    `{"img": "${body}" ${body}}`,
    JSON.stringify({ [body]: body }),
    JSON.stringify({ img: 5, url: [body] }),
    JSON.stringify({ img: `${body}***` }),
    JSON.stringify({ img: body.slice(0, 21) }),
    JSON.stringify({ img: '', duration: body }),
    `[${`"${body}",`.repeat(20_000)}1]`,
    image(Buffer.from(inside)),
    image(Buffer.from(`GIF89a${inside}`)),
    image(png(inside)),
    image(Buffer.concat([Buffer.from(SAMPLE_IMAGE_BASE64, 'base64').subarray(0, 60), Buffer.from(inside)])),
    image(Buffer.concat([Buffer.from('BM'), Buffer.from(inside.repeat(4))])),
    image(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(inside)])),
    url(`${body}://example.com/`),
    url(`http://user:${password}@127.0.0.1/?X-Amz-Signature=${query}#${fragment}`),
    url(`http://127.0.0.1/secret?X-Amz-Signature=${query}`),
    url(`http://nothing.invalid/a?X-Amz-Signature=${query}#${fragment}`),
    url(`http://nothing.invalid:22/a?X-Amz-Signature=${query}`),
    ...['/missing', '/redirect', '/redirect-loop', '/garbage', '/closed', '/large', '/not-an-image', '/silent'].map(
      (path) => url(`${origin}${path}?X-Amz-Signature=${query}#${fragment}`),
    ),
    url(`s3://user:${password}@bucket/key`),
    url(`s3://bucket/key?X-Amz-Signature=${query}`),
    url('s3://bucket/key'),
    url('s3://other/key'),
    url(`http://[::1?${query}`),
  ];
}

const ORIGIN: Readonly<Record<string, http.RequestListener>> = {
  '/missing': (_request, response) => response.writeHead(404).end(CANARIES.redirect),
  '/redirect': (_request, response) =>
    response
      .writeHead(302, {
        location: `http://u:${CANARIES.redirect}@127.0.0.1:1/?sig=${CANARIES.redirect}`,
        'set-cookie': CANARIES.cookie,
      })
      .end(),
  '/redirect-loop': (_request, response) =>
    response.writeHead(302, { location: `/redirect-loop?sig=${CANARIES.redirect}` }).end(),
  '/garbage': (request) => request.socket.end(`HTTP/1.1 2000 ${CANARIES.redirect}\r\n\r\n`),
  '/closed': (request) => request.socket.destroy(),
  '/large': (_request, response) => response.writeHead(200, { 'content-length': 1e9 }).end(),
  '/not-an-image': (_request, response) => response.end(CANARIES.redirect),
  '/silent': () => undefined,
};

async function startOrigin(): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) =>
    ORIGIN[(request.url ?? '').split('?', 1)[0]]?.(request, response),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Everything that can go wrong in the service itself: no place, no process, a page that hangs, a signal. */
async function throughFaults(service: RunningService, good: string, answers: Answer[]): Promise<void> {
  const headers = { 'x-api-key': CANARIES.key };
  const [engine] = childrenOf(pidOf(service.process));
  process.kill(engine, 'SIGSTOP');
  // More than there are places: refused, waiting past their time, hanging, left by their client.
  const leaving = new AbortController();
  const left = post(service.url, good, { headers, signal: leaving.signal });
  const many = Array.from({ length: 6 }, () => post(service.url, good, { headers }));
  await waitFor(async () => (await metricsOf(service)).includes('general_ocr_requests_inside 3'), 3000);
  leaving.abort();
  answers.push(await left, ...(await Promise.all(many)));
  // Killed in the middle of pages, five times: deaths, retries, and 503.
  for (let kill = 0; kill < 5; kill += 1) {
    const victim = childrenOf(pidOf(service.process))[0];
    const page = post(service.url, good, { headers });
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
    answers.push(await page);
  }
}

const metricsOf = async (service: RunningService): Promise<string> =>
  (await fetch(`${service.url}/metrics`, { headers: { 'x-api-key': CANARIES.key } })).text();

/** `secrets`: canary strings in everything that may hold a secret, through every way of failing, at the log level trace. */
export async function run(): Promise<Report> {
  const report = new Report();
  const origin = await startOrigin();
  const service = await startService({
    LOG_LEVEL: 'trace',
    OCR_ENGINE_PROCESSES: '1',
    OCR_QUEUE_LENGTH: '2',
    OCR_PAGE_TIMEOUT_MS: '1500',
    OCR_FETCH_TIMEOUT_MS: '1500',
    OCR_REQUEST_TIMEOUT_MS: '5000',
    OCR_BODY_TIMEOUT_MS: '1000',
    OCR_MAX_IMAGE_BYTES: '200000',
    OCR_API_KEYS: CANARIES.key,
    OCR_METRICS: 'key',
    OCR_SOURCE_ALLOW: new URL(origin.url).host,
    OCR_S3_ENDPOINT: `http://user:${CANARIES.endpointPassword}@127.0.0.1:1`,
    OCR_S3_BUCKETS: 'bucket',
    AWS_ACCESS_KEY_ID: 'AKIAROBUSTNESS',
    AWS_SECRET_ACCESS_KEY: CANARIES.awsSecret,
    AWS_SESSION_TOKEN: CANARIES.awsToken,
  });
  const answers: Answer[] = [];
  const seen: Seen[] = [];
  const good = JSON.stringify({ img: SAMPLE_IMAGE_BASE64, note: CANARIES.body });
  for (const body of bodies(origin.url)) {
    for (const headers of [
      { 'x-api-key': CANARIES.key, cookie: CANARIES.cookie },
      { authorization: `Bearer ${CANARIES.key}` },
      { authorization: `Bearer ${CANARIES.wrongKey}` },
      { authorization: `Basic ${CANARIES.wrongKey}`, 'x-request-id': `"${CANARIES.wrongKey}"` },
    ]) {
      answers.push(await post(service.url, body, { headers }));
    }
  }
  const keyed = { 'x-api-key': CANARIES.key };
  answers.push(
    await post(service.url, `{"img":"${CANARIES.body.repeat(20_000)}"}`, { headers: keyed }),
    await post(service.url, CANARIES.body, { headers: { ...keyed, 'content-type': `text/${CANARIES.body}` } }),
    await post(service.url, CANARIES.body, { headers: { ...keyed, 'content-type': 'multipart/form-data' } }),
    await post(service.url, `--b\r\n${CANARIES.body}`, {
      headers: { ...keyed, 'content-type': 'multipart/form-data; boundary=b' },
    }),
    await post(service.url, CANARIES.image, { headers: { ...keyed, 'content-type': 'image/png' } }),
  );
  await throughFaults(service, good, answers);
  for (const path of ['/general_ocr', '/nothing', '/%zz', '/metrics', '/docs/nothing']) {
    const response = await fetch(`${service.url}${path}?token=${CANARIES.query}`, {
      headers: { authorization: `Bearer ${CANARIES.wrongKey}` },
    });
    seen.push({ place: `answer of ${path}`, text: JSON.stringify([...response.headers]) + (await response.text()) });
  }
  const head = `POST /general_ocr?token=${CANARIES.query} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${CANARIES.key}\r\n`;
  for (const text of [
    `${CANARIES.body}\r\n\r\n`,
    `${head}${CANARIES.body}\r\n\r\n`,
    `${head}x: ${CANARIES.body.repeat(2000)}\r\n\r\n`,
    `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${CANARIES.body}`,
    `${head}content-type: application/json\r\ncontent-length: 9000\r\n\r\n{"img":"${CANARIES.body}`,
    `${head}expect: ${CANARIES.body}\r\ncontent-length: 0\r\n\r\n`,
  ]) {
    seen.push({ place: 'answer to what is not HTTP', text: await raw(service.url, text) });
  }
  seen.push({ place: 'metrics', text: await metricsOf(service) });
  report.check('the server ends with 0', (await service.stop()) === 0);
  origin.close();
  seen.push(
    ...answers.map(({ code, body }) => ({ place: `answer ${code}`, text: body })),
    { place: 'stdout', text: service.log.join('\n') },
    { place: 'stderr', text: service.errors.join('\n') },
  );
  report.note(`${answers.length} answers: ${tally(answers.map(({ code }) => code))}`);
  report.note(`${service.log.length} log lines, ${service.errors.length} lines on standard error`);
  const codes = new Set(answers.map(({ code }) => code));
  const wanted = ['INVALID_REQUEST', 'INVALID_BASE64', 'UNSUPPORTED_FORMAT', 'INVALID_IMAGE', 'SOURCE_NOT_ALLOWED'];
  wanted.push('SOURCE_UNAVAILABLE', 'UNAUTHORIZED', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'OVERLOADED');
  wanted.push('DEADLINE_EXCEEDED', 'OK');
  const unreached = wanted.filter((code) => !codes.has(code));
  report.check(`ways of failing that were not reached: ${unreached.join(', ') || 'none'}`, unreached.length === 0);
  // A search that finds nothing must be able to find something.
  report.check(
    'the search works',
    hits([{ place: 'here', text: Buffer.from(`x${CANARIES.key}yy`).toString('base64') }]).length === 1,
  );
  const found = hits(seen);
  report.check(
    `hits of ${Object.keys(CANARIES).length} secrets: ${[...new Set(found)].join('; ') || '0'}`,
    found.length === 0,
  );
  return report;
}
