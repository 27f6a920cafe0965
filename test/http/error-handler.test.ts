import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { ERROR_CODES, OcrError, type ErrorCode } from '../../src/errors.ts';
import { STATUS_OF_CODE } from '../../src/http/error-handler.ts';
import { createLogger } from '../../src/http/log.ts';
import { buildFakeApp, fakeEngine, IMAGE, READY, SAMPLE_PAGE, type FakeOptions } from './fixtures/fake-parts.ts';

interface ErrorCase {
  readonly code: ErrorCode;
  readonly what: string;
  readonly options?: FakeOptions;
  readonly request?: InjectOptions | string;
  readonly message: RegExp;
  /** Undefined: not to be there. */
  readonly headers?: Record<string, string | RegExp | undefined>;
}

const ocr = (payload: unknown, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: '/general_ocr',
  headers: { 'content-type': 'application/json', ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
});
const engineThrows = (error: unknown): FakeOptions => ({
  engine: fakeEngine({
    async read() {
      throw error;
    },
  }),
});

/** Every code as it is reached through the HTTP layer. */
const cases: ErrorCase[] = [
  { code: 'INVALID_REQUEST', what: 'neither field', request: ocr({}), message: /`url`.*`img`/ },
  { code: 'INVALID_REQUEST', what: 'neither field, others', request: ocr({ image: 'x' }), message: /`url`.*`img`/ },
  { code: 'INVALID_REQUEST', what: 'wrong type of url', request: ocr({ url: 5 }), message: /`url` must be a string/ },
  { code: 'INVALID_REQUEST', what: 'wrong type of img', request: ocr({ img: [IMAGE] }), message: /`img` must be/ },
  { code: 'INVALID_REQUEST', what: 'null', request: ocr({ img: null }), message: /`img` must be/ },
  { code: 'INVALID_REQUEST', what: 'wrong duration', request: ocr({ img: IMAGE, duration: 1 }), message: /`duration`/ },
  { code: 'INVALID_REQUEST', what: 'scheme', request: ocr({ url: 'ftp://a/b' }), message: /http:\/\/, https:\/\// },
  { code: 'INVALID_REQUEST', what: 'bad s3', request: ocr({ url: 's3://a' }), message: /s3:\/\/bucket\/key/ },
  { code: 'INVALID_REQUEST', what: 'an array', request: ocr([]), message: /JSON object/ },
  { code: 'INVALID_REQUEST', what: 'null body', request: ocr('null'), message: /JSON object/ },
  { code: 'INVALID_REQUEST', what: 'not JSON', request: ocr('{"img": secret}'), message: /not valid JSON/ },
  { code: 'INVALID_REQUEST', what: 'nested', request: ocr('['.repeat(20_000)), message: /10000 values/ },
  {
    code: 'INVALID_REQUEST',
    what: 'many values beside a picture',
    request: ocr({ img: IMAGE, more: new Array(20_000).fill(0) }),
    message: /10000 values/,
  },
  { code: 'INVALID_REQUEST', what: 'empty', request: ocr(''), message: /empty/ },
  { code: 'INVALID_REQUEST', what: 'bad path', request: '/%zz', message: /percent-encoded/ },
  { code: 'INVALID_BASE64', what: 'not base64', request: ocr({ img: '$$$$' }), message: /base64/ },
  { code: 'INVALID_REQUEST', what: 'empty img', request: ocr({ img: ' ' }), message: /`img` must be/ },
  {
    code: 'SOURCE_NOT_ALLOWED',
    what: 'a private address',
    request: ocr({ url: 'http://169.254.169.254/latest' }),
    message: /./,
  },
  {
    code: 'UNAUTHORIZED',
    what: 'no key',
    options: { env: { OCR_API_KEYS: 'secret' } },
    message: /x-api-key/,
    headers: { 'www-authenticate': /^Bearer/ },
  },
  { code: 'NOT_FOUND', what: 'unknown path', request: '/nothing', message: /POST \/general_ocr/ },
  {
    code: 'METHOD_NOT_ALLOWED',
    what: 'GET',
    request: '/general_ocr',
    message: /POST only/,
    headers: { allow: 'POST' },
  },
  {
    code: 'METHOD_NOT_ALLOWED',
    what: 'a wrong method with a wrong body',
    request: { method: 'PUT', url: '/metrics', headers: { 'content-type': 'text/plain' }, payload: 'x' },
    message: /GET, HEAD only/,
    headers: { allow: 'GET, HEAD' },
  },
  {
    code: 'BODY_TOO_LARGE',
    what: 'request body',
    options: { env: { OCR_MAX_IMAGE_BYTES: '1024' } },
    request: ocr({ img: 'A'.repeat(100_000) }),
    message: /OCR_MAX_IMAGE_BYTES/,
  },
  {
    code: 'BODY_TOO_LARGE',
    what: 'image in a body of allowed size',
    options: { env: { OCR_MAX_IMAGE_BYTES: '1024' } },
    request: ocr({ img: 'A'.repeat(2000) }),
    message: /1024/,
  },
  {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    what: 'text/plain',
    request: ocr({ img: IMAGE }, { 'content-type': 'text/plain' }),
    message: /application\/json/,
  },
  {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    what: 'nonsense',
    request: ocr({ img: IMAGE }, { 'content-type': 'nonsense' }),
    message: /application\/json/,
  },
  {
    code: 'OVERLOADED',
    what: 'the door is closed',
    options: {
      admission: {
        refuseIfFull: () => undefined,
        enter() {
          throw new OcrError('OVERLOADED', 'Full.', { retryAfterSeconds: 3.2 });
        },
      },
    },
    message: /Full/,
    headers: { 'retry-after': '4' },
  },
  {
    code: 'UNAVAILABLE',
    what: 'not ready',
    options: { engine: fakeEngine({ status: () => ({ ...READY, ready: false }) }) },
    request: '/health/ready',
    message: /starting/,
    headers: { 'retry-after': '1' },
  },
  {
    code: 'DEADLINE_EXCEEDED',
    what: 'while fetching',
    options: {
      env: { OCR_REQUEST_TIMEOUT_MS: '100' },
      images: {
        load: (_source, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    },
    message: /100 ms.*fetching/,
  },
  {
    code: 'DEADLINE_EXCEEDED',
    what: 'in the engine',
    options: {
      env: { OCR_REQUEST_TIMEOUT_MS: '100' },
      engine: fakeEngine({
        read: (_image, _options, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new OcrError('DEADLINE_EXCEEDED', 'stage: reading')));
          }),
      }),
    },
    message: /reading/,
  },
  {
    code: 'INTERNAL',
    what: 'a bug',
    options: engineThrows(new Error('/srv/secret.ts exploded')),
    message: /^Something went wrong inside the server/,
  },
  {
    code: 'INTERNAL',
    what: 'a bug in an engine process',
    options: engineThrows(new OcrError('INTERNAL', '/srv/secret.ts exploded')),
    message: /^Something went wrong inside the server/,
  },
  {
    code: 'ENGINE_CRASHED',
    what: 'a picture that ends engine processes is not to be sent again',
    options: engineThrows(new OcrError('ENGINE_CRASHED', 'Two ended.')),
    message: /Two ended/,
    headers: { 'retry-after': undefined },
  },
  {
    code: 'JOBS_NOT_CONFIGURED',
    what: 'no queue',
    options: {},
    request: { method: 'GET', url: '/v1/jobs/0' },
    message: /OCR_REDIS_URL/,
  },
];
for (const code of [
  'CONFLICT',
  'UNSUPPORTED_FORMAT',
  'INVALID_IMAGE',
  'IMAGE_TOO_LARGE',
  'UNAVAILABLE',
  'OVERLOADED',
] as const) {
  cases.push({
    code,
    what: 'from the engine',
    options: engineThrows(new OcrError(code, 'Said so.')),
    message: /Said so/,
  });
}

for (const { code, what, options, request = ocr({ img: SAMPLE_IMAGE_BASE64 }), message, headers = {} } of cases) {
  t.test(`${code}: ${what}`, async (t) => {
    const app = await buildFakeApp(options);
    t.teardown(() => app.close());
    const response = await app.inject(request);
    t.equal(response.statusCode, STATUS_OF_CODE[code]);
    t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
    const body = response.json();
    t.strictSame(
      Object.keys(body),
      ['statusCode', 'error', 'code', 'message', 'requestId'],
      'the contract, nothing else',
    );
    t.match(body, { statusCode: response.statusCode, code, message, requestId: response.headers['x-request-id'] });
    t.match(response.headers, headers);
    t.notMatch(response.body, /secret|FST_|node_modules/);
  });
}

t.test('SOURCE_UNAVAILABLE: nobody listens', async (t) => {
  const vacant = createServer().listen(0, '127.0.0.1');
  await once(vacant, 'listening');
  const { port } = vacant.address() as AddressInfo;
  await new Promise((resolve) => vacant.close(resolve));
  const app = await buildFakeApp({ env: { OCR_SOURCE_ALLOW: `127.0.0.1:${port}` } });
  t.teardown(() => app.close());
  const response = await app.inject(ocr({ url: `http://127.0.0.1:${port}/a.png` }));
  t.match(response.json(), { statusCode: 400, code: 'SOURCE_UNAVAILABLE' });
});

t.test('RATE_LIMITED', async (t) => {
  const app = await buildFakeApp({ env: { OCR_RATE_LIMIT_PER_MINUTE: '1' } });
  t.teardown(() => app.close());
  t.equal((await app.inject(ocr({ img: IMAGE }))).statusCode, 200);
  const response = await app.inject(ocr({ img: IMAGE }));
  t.match(response.json(), { statusCode: 429, code: 'RATE_LIMITED', message: /More than 1 requests/ });
  t.match(response.headers['retry-after'], /^[1-9]\d?$/);
});

t.test('every code of the closed list is reached above', async (t) => {
  const reached = new Set<string>([...cases.map(({ code }) => code), 'SOURCE_UNAVAILABLE', 'RATE_LIMITED']);
  t.strictSame([...reached].sort(), [...ERROR_CODES].sort());
});

t.test('unsupported methods of every kind', async (t) => {
  const app = await buildFakeApp();
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  for (const method of ['TRACE', 'OPTIONS', 'DELETE', 'PATCH', 'PROPFIND', 'QUERY']) {
    const answer = await exchange(port, `${method} /general_ocr HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    t.match(answer, /^HTTP\/1\.1 405 /, method);
    t.match(answer, /\r\nallow: POST\r\n/i);
  }
});

t.test('what is not HTTP is answered in the same form', async (t) => {
  const app = await buildFakeApp();
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const malformed = await exchange(port, 'hello?\r\n\r\n');
  t.match(malformed, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.match(JSON.parse(malformed.split('\r\n\r\n')[1]), { statusCode: 400, code: 'INVALID_REQUEST', requestId: /./ });
  const large = await exchange(port, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  t.match(large, /^HTTP\/1\.1 431 /);
});

t.test('a request that does not arrive in OCR_BODY_TIMEOUT_MS', async (t) => {
  const app = await buildFakeApp({ env: { OCR_BODY_TIMEOUT_MS: '100' } });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const answer = await exchange(port, 'POST /general_ocr HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{');
  t.match(answer, /^HTTP\/1\.1 408 /);
  t.match(answer, /OCR_BODY_TIMEOUT_MS/);
});

t.test('the log has the whole of a bug, and never a body, a key or the query of an address', async (t) => {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) });
  const bug = new Error('cannot get https://user:hunter2@host.example/a.png?X-Amz-Signature=hunter2', {
    cause: Object.assign(new TypeError('Invalid URL'), { input: 'http://x/?hunter2' }),
  });
  const app = await buildFakeApp({ logger, env: { OCR_API_KEYS: 'hunter2' }, ...engineThrows(bug) });
  t.teardown(() => app.close());
  const headers = { 'x-api-key': 'hunter2' };
  await app.inject({ ...ocr({ img: SAMPLE_IMAGE_BASE64 }, headers), url: '/general_ocr?token=hunter2' });
  await app.inject(ocr('{"img": hunter2}', headers));
  await app.inject(ocr({ url: 'http://127.0.0.1/?hunter2' }, headers));
  await app.inject({ url: '/%zz?token=hunter2', headers });
  const text = lines.join('');
  t.match(text, /cannot get https:\/\/host\.example\/a\.png/);
  t.match(text, /error-handler\.test\.ts/, 'the stack');
  t.match(text, /Invalid URL/, 'the cause');
  t.match(text, /SOURCE_NOT_ALLOWED/);
  t.notMatch(text, /hunter2/);
  t.notMatch(text, new RegExp(SAMPLE_IMAGE_BASE64.slice(0, 30)));
});

t.test('a page read is logged with the kind and host of its source', async (t) => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line: string) => void lines.push(line) });
  const images = { load: async () => Buffer.from('abc') };
  const app = await buildFakeApp({ logger, images, engine: fakeEngine({ read: async () => SAMPLE_PAGE }) });
  t.teardown(() => app.close());
  await app.inject(ocr({ url: 'https://example.com/private/name.png?X-Amz-Signature=hunter2' }));
  const entries = lines.map((line) => JSON.parse(line));
  t.match(
    entries.find(({ msg }) => msg === 'page read'),
    { source: { kind: 'url', host: 'example.com' }, bytes: 3, lines: 1, reqId: /./ },
  );
  t.notMatch(lines.join(''), /hunter2|private/);
});

async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
