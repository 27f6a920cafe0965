import assert from 'node:assert/strict';
import test from 'node:test';
import { GeneralOcr, NoAnswerError, ServiceError } from '../src/index.ts';
import { answer, localServer, refuse } from './local-server.ts';

const PICTURE = new TextEncoder().encode('pixels');

test('sends bytes, Blobs and addresses as forms, with the key and the options', async (t) => {
  const { url, seen } = await localServer(t, [answer(200, [])]);
  const ocr = new GeneralOcr({ baseUrl: `${url}/ocr/`, apiKey: 'k' });
  assert.deepEqual(await ocr.read(PICTURE), []);
  await ocr.read(new Blob([PICTURE], { type: 'image/png' }));
  await ocr.read(PICTURE.buffer);
  await ocr.read('s3://bucket/key');
  await ocr.read(new URL('https://example.com/a.png'));
  await ocr.readDocument(PICTURE, {
    minScore: 1e-7,
    region: { left: 1, top: 2, width: 3, height: 4 },
    orientation: 'off',
    textLayer: 'off',
    words: true,
    characters: false,
    pages: '2-',
  });
  assert.deepEqual(
    seen.map(({ path, headers }) => [path, headers['x-api-key'], headers['content-type']?.split(';')[0]]),
    [...Array(5).fill(['/ocr/general_ocr', 'k', 'multipart/form-data']), ['/ocr/v1/ocr', 'k', 'multipart/form-data']],
  );
  const [bytes, blob, buffer, s3, https, options] = seen.map(({ body }) => body);
  for (const body of [bytes, blob, buffer])
    assert.match(body ?? '', /name="img"; filename="picture"[^]*\r\n\r\npixels\r\n/);
  assert.match(s3 ?? '', /name="url"\r\n\r\ns3:\/\/bucket\/key\r\n/);
  assert.match(https ?? '', /name="url"\r\n\r\nhttps:\/\/example.com\/a.png\r\n/);
  const fields = [...(options ?? '').matchAll(/name="(\w+)"\r\n\r\n(.*)\r\n/g)].map(([, name, value]) => [name, value]);
  assert.deepEqual(Object.fromEntries(fields), {
    minScore: '0.000000100',
    region: '1,2,3,4',
    orientation: 'off',
    textLayer: 'off',
    words: 'true',
    characters: 'false',
    pages: '2-',
    format: 'json',
  });
});

test('waits as long as Retry-After says, and tries again', async (t) => {
  const { url, seen } = await localServer(t, [
    refuse(429, 'OVERLOADED', { 'retry-after': '1' }),
    refuse(503, 'UNAVAILABLE', { 'retry-after': new Date(Date.now() - 1000).toUTCString() }),
    (response) => response.destroy(),
    answer(200, []),
  ]);
  const start = performance.now();
  assert.deepEqual(await new GeneralOcr({ baseUrl: url }).read(PICTURE), []);
  const waited = performance.now() - start;
  // One second as told, none, and the two seconds of the third try; each up to a quarter longer.
  assert.ok(waited >= 3000 && waited < 5000, `${waited} ms`);
  assert.equal(seen.length, 4);
  assert.equal(new Set(seen.map(({ body }) => body.length)).size, 1, 'the picture is sent whole each time');
});

test('does not try again what would fail again, or too often, or too late', async (t) => {
  const refused = await localServer(t, [refuse(400, 'INVALID_IMAGE')]);
  await assert.rejects(new GeneralOcr({ baseUrl: refused.url }).read(PICTURE), (error) => {
    assert.ok(error instanceof ServiceError);
    const { code, status, message, requestId, retryAfterSeconds } = error;
    const expected = ['INVALID_IMAGE', 400, 'about INVALID_IMAGE', 'r1', undefined];
    assert.deepEqual([code, status, message, requestId, retryAfterSeconds], expected);
    return true;
  });
  assert.equal(refused.seen.length, 1);

  const crashed = await localServer(t, [refuse(503, 'ENGINE_CRASHED')]);
  await assert.rejects(new GeneralOcr({ baseUrl: crashed.url }).read(PICTURE), { code: 'ENGINE_CRASHED' });
  assert.equal(crashed.seen.length, 1);

  const full = await localServer(t, [refuse(429, 'OVERLOADED', { 'retry-after': '0' })]);
  await assert.rejects(new GeneralOcr({ baseUrl: full.url, retries: 2 }).read(PICTURE), { code: 'OVERLOADED' });
  assert.equal(full.seen.length, 3);

  const later = await localServer(t, [refuse(429, 'RATE_LIMITED', { 'retry-after': '60' })]);
  const call = new GeneralOcr({ baseUrl: later.url }).read(PICTURE, { timeoutMs: 20_000 });
  await assert.rejects(call, { code: 'RATE_LIMITED', retryAfterSeconds: 60 });
  assert.equal(later.seen.length, 1);
});

test('time, signals and missing services end a call', async (t) => {
  const { url } = await localServer(t, [() => undefined]);
  const ocr = new GeneralOcr({ baseUrl: url, timeoutMs: 100 });
  await assert.rejects(ocr.read(PICTURE), (error) => error instanceof NoAnswerError && error.reason === 'timeout');
  const reason = new Error('enough');
  const leaving = new AbortController();
  const left = ocr.read(PICTURE, { signal: leaving.signal, timeoutMs: 60_000 });
  leaving.abort(reason);
  await assert.rejects(left, reason);

  const gone = new GeneralOcr({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  await assert.rejects(gone.info(), (error) => error instanceof NoAnswerError && error.reason === 'connection');
});

test('a signal ends the wait before another try as well', async (t) => {
  const { url, seen } = await localServer(t, [refuse(429, 'OVERLOADED', { 'retry-after': '30' })]);
  const leaving = new AbortController();
  const { setTimeout: start } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, ms: number) => {
    // The client begins to wait: 30 s as told, and up to a quarter.
    if (ms >= 30_000 && ms < 40_000) queueMicrotask(() => leaving.abort(new Error('enough')));
    return start(callback, ms);
  });
  await assert.rejects(new GeneralOcr({ baseUrl: url }).read(PICTURE, { signal: leaving.signal }), /enough/);
  assert.equal(seen.length, 1);
});

test("answers of somebody else are told apart from the service's", async (t) => {
  const proxy = await localServer(t, [(response) => response.writeHead(502).end('<html>Bad Gateway</html>')]);
  const bad = new GeneralOcr({ baseUrl: proxy.url });
  await assert.rejects(bad.read(PICTURE), { code: 'UNKNOWN', status: 502, message: /check the base URL/ });
  const page = await localServer(t, [(response) => response.end('<html>Welcome</html>')]);
  await assert.rejects(new GeneralOcr({ baseUrl: page.url }).read(PICTURE), { code: 'UNKNOWN', status: 200 });
});

test('wrong arguments are told without a request', async () => {
  assert.throws(() => new GeneralOcr({ baseUrl: 'localhost:8080' }), /http:\/\/ or https:\/\//);
  await assert.rejects(new GeneralOcr().read('scan.png'), /must be an http/);
});

test('the environment says where the service is, and options win', async (t) => {
  const { url, seen } = await localServer(t, [answer(200, {})]);
  const before = { ...process.env };
  t.after(() => (process.env = before));
  process.env = { ...before, GENERAL_OCR_URL: url, GENERAL_OCR_API_KEY: 'from-environment' };
  await new GeneralOcr().info();
  await new GeneralOcr({ apiKey: 'given' }).info();
  assert.deepEqual(
    seen.map(({ path, headers }) => [path, headers['x-api-key']]),
    [
      ['/v1/info', 'from-environment'],
      ['/v1/info', 'given'],
    ],
  );
});
