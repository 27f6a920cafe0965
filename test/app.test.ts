import { readFile } from 'node:fs/promises';
import t from 'tap';
import { bodyLimitFor } from '../src/app.ts';
import { SAMPLE_IMAGE_BASE64 } from '../src/engine/sample.ts';
import { buildFakeApp, fakeEngine, IMAGE, READY } from './http/fixtures/fake-parts.ts';

const OCR = { method: 'POST', url: '/general_ocr', payload: { img: IMAGE } } as const;

t.test('health', async (t) => {
  let ready = false;
  const app = await buildFakeApp({
    env: { OCR_API_KEYS: 'k' },
    engine: fakeEngine({ status: () => ({ ...READY, ready }) }),
  });
  t.teardown(() => app.close());
  t.match(await app.inject('/health/live'), { statusCode: 200, body: '{"status":"live"}' });
  t.equal((await app.inject('/health/ready')).statusCode, 503);
  ready = true;
  t.match(await app.inject('/health/ready'), { statusCode: 200, body: '{"status":"ready"}' });
  for (const url of ['/health/live', '/health/ready', '/metrics']) {
    t.match(await app.inject({ method: 'HEAD', url }), { statusCode: 200, body: '' }, `HEAD ${url}`);
  }
});

t.test('keys', async (t) => {
  const app = await buildFakeApp({ env: { OCR_API_KEYS: 'first, second' } });
  t.teardown(() => app.close());
  const status = async (headers: Record<string, string>) => (await app.inject({ ...OCR, headers })).statusCode;
  t.equal(await status({}), 401);
  t.equal(await status({ 'x-api-key': 'first' }), 200);
  t.equal(await status({ 'x-api-key': 'second' }), 200);
  t.equal(await status({ authorization: 'Bearer second' }), 200);
  t.equal(await status({ authorization: 'bearer first', 'x-api-key': 'wrong' }), 200, 'one of the two is enough');
  t.equal(await status({ 'x-api-key': 'firs' }), 401);
  t.equal(await status({ 'x-api-key': 'first, second' }), 401);
  t.equal(await status({ authorization: 'Basic first' }), 401);
  for (const url of ['/health/live', '/metrics', '/docs', '/openapi.json']) {
    t.equal((await app.inject(url)).statusCode, 200, `${url} stays open`);
  }
});

t.test('the rate is counted for each key', async (t) => {
  const app = await buildFakeApp({ env: { OCR_API_KEYS: 'a,b', OCR_RATE_LIMIT_PER_MINUTE: '2' } });
  t.teardown(() => app.close());
  const status = async (key: string) => (await app.inject({ ...OCR, headers: { 'x-api-key': key } })).statusCode;
  t.strictSame([await status('a'), await status('a'), await status('a')], [200, 200, 429]);
  t.equal(await status('b'), 200, 'another key has its own');
  t.equal(await status('wrong'), 401, 'a wrong key is not counted');
  t.equal((await app.inject('/health/live')).statusCode, 200);
});

t.test('without keys the rate is counted for each client address, as trusted proxies name it', async (t) => {
  const statuses = async (env: Record<string, string>) => {
    const app = await buildFakeApp({ env: { OCR_RATE_LIMIT_PER_MINUTE: '1', ...env } });
    t.teardown(() => app.close());
    const from = async (client: string) =>
      (await app.inject({ ...OCR, headers: { 'x-forwarded-for': client } })).statusCode;
    return [await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.2')];
  };
  t.strictSame(await statuses({ OCR_TRUSTED_PROXIES: '127.0.0.0/8' }), [200, 429, 200]);
  t.strictSame(await statuses({}), [200, 429, 429], 'nobody is believed by default');
});

t.test('request ids', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const idFor = async (id: string) => {
    const response = await app.inject({ url: '/nothing', headers: { 'x-request-id': id } });
    t.equal(response.json().requestId, response.headers['x-request-id']);
    return response.headers['x-request-id'];
  };
  t.equal(await idFor('abc-1.2_3'), 'abc-1.2_3');
  for (const bad of ['', 'a b', '"}', '-a', 'x'.repeat(65), 'é']) {
    t.match(await idFor(bad), /^[0-9a-f-]{36}$/, `not ${JSON.stringify(bad)}`);
  }
  t.match((await app.inject(OCR)).headers['x-request-id'], /^[0-9a-f-]{36}$/, 'answers have one too');
});

t.test('CORS', async (t) => {
  const closed = await buildFakeApp();
  const open = await buildFakeApp({ env: { OCR_CORS: '*' } });
  t.teardown(() => Promise.all([closed.close(), open.close()]));
  const headers = { origin: 'https://a.example' };
  const preflight = {
    method: 'OPTIONS',
    url: '/general_ocr',
    headers: { ...headers, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  } as const;

  t.equal((await closed.inject({ ...OCR, headers })).headers['access-control-allow-origin'], undefined);
  t.equal((await closed.inject(preflight)).statusCode, 405);

  t.equal((await open.inject({ ...OCR, headers })).headers['access-control-allow-origin'], '*');
  t.match(await open.inject(preflight), {
    statusCode: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': '*',
      'access-control-allow-headers': /^\*/,
    },
  });
  const failure = await open.inject({ ...OCR, payload: {}, headers });
  t.match(failure, { statusCode: 400, headers: { 'access-control-allow-origin': '*' } }, 'errors can be read as well');
});

t.test('CORS for origins by name', async (t) => {
  const app = await buildFakeApp({ env: { OCR_CORS: 'https://a.example,https://b.example:8443' } });
  t.teardown(() => app.close());
  const allowed = async (origin: string) => {
    const { headers } = await app.inject({ ...OCR, headers: { origin } });
    t.match(headers.vary, /\bOrigin\b/, 'caches keep the answers apart');
    t.equal(headers['access-control-allow-credentials'], undefined);
    return headers['access-control-allow-origin'];
  };
  t.equal(await allowed('https://a.example'), 'https://a.example');
  t.equal(await allowed('https://b.example:8443'), 'https://b.example:8443');
  for (const other of [
    'https://b.example',
    'http://a.example',
    'https://a.example.evil.test',
    'https://aXexample',
    'null',
  ]) {
    t.equal(await allowed(other), undefined, other);
  }
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
  t.match(await app.inject({ method: 'OPTIONS', url: '/general_ocr', headers: preflight }), {
    statusCode: 204,
    headers: { 'access-control-allow-origin': 'https://a.example', 'access-control-allow-headers': /X-Api-Key/ },
  });
});

t.test('OCR_METRICS=key', async (t) => {
  const app = await buildFakeApp({ env: { OCR_API_KEYS: 'k', OCR_METRICS: 'key' } });
  t.teardown(() => app.close());
  const status = async (headers: Record<string, string>) => (await app.inject({ url: '/metrics', headers })).statusCode;
  t.equal(await status({}), 401);
  t.equal(await status({ 'x-api-key': 'wrong' }), 401);
  t.equal(await status({ authorization: 'Bearer k' }), 200, 'as Prometheus sends it');
  t.equal((await app.inject('/health/ready')).statusCode, 200, 'probes stay open');
});

t.test('the body limit follows OCR_MAX_IMAGE_BYTES', async (t) => {
  const app = await buildFakeApp({ env: { OCR_MAX_IMAGE_BYTES: '300000' } });
  t.teardown(() => app.close());
  const lines = Buffer.alloc(300_000, 7).toString('base64').replace(/.{76}/g, '$&\r\n');
  t.equal((await app.inject({ ...OCR, payload: { img: lines } })).statusCode, 200, 'largest image, in MIME lines');
  const over = { img: 'A'.repeat(bodyLimitFor(300_000)) };
  t.equal((await app.inject({ ...OCR, payload: over })).statusCode, 413);
});

t.test('security headers', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  for (const url of ['/health/live', '/nothing', '/%zz']) {
    t.match((await app.inject(url)).headers, {
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  }
});

t.test('Swagger UI comes from this server alone', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const page = await app.inject('/docs');
  t.match(page, { statusCode: 200, headers: { 'content-type': /^text\/html/ } });
  t.notMatch(page.headers['content-security-policy'], /https:|upgrade-insecure|unsafe-eval|\*/);
  const assets = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1]);
  t.ok(assets.length >= 5, 'scripts, styles and icons');
  for (const asset of assets) {
    t.match(asset, /^\/docs\/static\//, 'no other host');
    t.equal((await app.inject(asset)).statusCode, 200, asset);
  }
  const initializer = (await app.inject('/docs/static/swagger-initializer.js')).body;
  t.match(initializer, /validatorUrl: null/);
  t.notMatch(initializer.replace(/^.*stackoverflow.*$/m, ''), /https?:\/\//);
  t.equal((await app.inject('/docs/static/missing.js')).json().code, 'NOT_FOUND');
});

t.test('OCR_DOCS=false', async (t) => {
  const app = await buildFakeApp({ env: { OCR_DOCS: 'false' } });
  t.teardown(() => app.close());
  t.equal((await app.inject('/docs')).statusCode, 404);
  t.equal((await app.inject('/openapi.json')).statusCode, 200);
});

t.test('the OpenAPI document', async (t) => {
  const app = await buildFakeApp({ env: { OCR_API_KEYS: 'secret', OCR_MAX_SIDE: '999' } });
  t.teardown(() => app.close());
  const committed = await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8');
  const yaml = await app.inject('/openapi.yaml');
  t.equal(yaml.body, committed, 'is openapi.yaml (made by scripts/openapi.ts), whatever the settings');
  t.match(yaml.headers['content-type'], /^application\/yaml/);
  const document = (await app.inject('/openapi.json')).json();
  t.strictSame(document, app.swagger(), 'as JSON');
  t.strictSame((await app.inject('/docs/json')).json(), document, 'for Swagger UI');

  const { examples } = document.paths['/general_ocr'].post.requestBody.content['application/json'];
  t.equal(Object.keys(examples)[0], 'img', 'the example of Try it out');
  t.equal(examples.img.value.img, SAMPLE_IMAGE_BASE64);
  for (const name of ['img', 'duration']) {
    const answer = await app.inject({ ...OCR, payload: examples[name].value, headers: { 'x-api-key': 'secret' } });
    t.equal(answer.statusCode, 200, `example ${name}`);
  }
});
