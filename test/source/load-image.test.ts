import t from 'tap';
import { createImageLoader, type ImageLoaderOptions, parseSource } from '../../src/source/load-image.ts';
import { startOrigin } from './local-origin.ts';

const options: ImageLoaderOptions = {
  maxBytes: 1000,
  fetchTimeoutMs: 10_000,
  allow: [],
  urlPorts: [80, 443],
  s3: { buckets: [], endpoint: '', forcePathStyle: false, region: '' },
};
const never = new AbortController().signal;

t.test('which source a request names', async (t) => {
  t.strictSame(parseSource({ img: 'QUJD' }), { kind: 'base64', data: 'QUJD' });
  t.strictSame(parseSource({ img: '' }), { kind: 'base64', data: '' }, 'refused when it is decoded');
  t.strictSame(parseSource({ url: 'http://a.test/x.png' }), { kind: 'url', url: 'http://a.test/x.png' });
  t.strictSame(parseSource({ url: ' HTTPS://A.test/ ', img: 'QUJD' }), { kind: 'url', url: 'https://a.test/' });
  t.strictSame(parseSource({ url: 's3://bucket/key' }), { kind: 's3', bucket: 'bucket', key: 'key' });
  t.throws(() => parseSource({}), { code: 'INVALID_REQUEST', message: /`url`.*`img`/ });
  t.throws(() => parseSource({ url: '', img: 'QUJD' }), { code: 'INVALID_REQUEST' }, 'url wins, even empty');
});

t.test('other schemes and no addresses', async (t) => {
  const urls = [
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_X',
    'ftp://127.0.0.1/',
    'data:image/png;base64,AAAA',
    'blob:x',
    'javascript:1',
    '//127.0.0.1/',
    '/etc/passwd',
    'example.com/a.png',
    'http://',
    'http://[::1',
    'http://a b/',
    '',
    `http://a.test/${'x'.repeat(8192)}`,
  ];
  for (const url of urls)
    t.throws(() => parseSource({ url }), { code: 'INVALID_REQUEST', message: /`url`/ }, url.slice(0, 40));
});

t.test('s3 addresses', async (t) => {
  const accepted: [url: string, bucket: string, key: string][] = [
    ['s3://my-bucket.2/a/b c/中文.png', 'my-bucket.2', 'a/b c/中文.png'],
    ['S3://abc/k', 'abc', 'k'],
    ['s3://abc//k', 'abc', '/k'],
    ['s3://abc/a%20b', 'abc', 'a%20b'],
    ['s3://abc/...', 'abc', '...'],
    ['s3://abc/a/.hidden/..b', 'abc', 'a/.hidden/..b'],
    [`s3://${'b'.repeat(63)}/${'k'.repeat(1024)}`, 'b'.repeat(63), 'k'.repeat(1024)],
  ];
  for (const [url, bucket, key] of accepted) t.strictSame(parseSource({ url }), { kind: 's3', bucket, key });

  const refused = [
    's3:',
    's3:/bucket/key',
    's3:bucket/key',
    's3://bucket',
    's3://bucket/',
    's3:///key',
    's3://../bucket/key',
    's3://./bucket/key',
    's3://ab/key',
    's3://a..b/key',
    's3://-ab/key',
    's3://ab-/key',
    's3://UPPER/key',
    's3://UPPER_case/k',
    's3://user:pw@bucket/key',
    's3://bucket:8080/key',
    's3://169.254.169.254/latest',
    's3://evil.com%23/k',
    's3://bücket/k',
    's3://arn:aws:s3:us-west-2:123456789012:accesspoint/myap/key',
    's3://bucket--usw2-az1--x-s3/key',
    's3://ap-1234-s3alias/key',
    's3://bucket/../../other/key',
    's3://bucket/a/..',
    's3://bucket/./a',
    's3://bucket/%2e%2e/x',
    's3://bucket/.%2E/x',
    's3://bucket/a%2f..%2fx',
    's3://bucket/a\\..\\x',
    's3://bucket/a?versionId=1',
    's3://bucket/a#frag',
    's3://bucket/a\nb',
    's3://bucket/a\u0000',
    `s3://${'x'.repeat(64)}/k`,
    `s3://bucket/${'k'.repeat(1025)}`,
    `s3://bucket/${'中'.repeat(342)}`,
    ' s3://bucket/key',
  ];
  for (const url of refused) t.throws(() => parseSource({ url }), { code: 'INVALID_REQUEST', message: /`url`/ }, url);
});

t.test('loads each kind', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('image'));
  const loader = createImageLoader({ ...options, allow: [origin.host] });
  t.teardown(() => loader.close());
  const load = (request: { url?: string; img?: string }) => loader.load(parseSource(request), never);
  t.equal(String(await load({ url: `http://${origin.host}/` })), 'image');
  t.equal(String(await load({ img: 'aW1hZ2U=' })), 'image');
  await t.rejects(load({ img: Buffer.alloc(1001).toString('base64') }), { code: 'BODY_TOO_LARGE' });
  await t.rejects(load({ img: '?' }), { code: 'INVALID_BASE64' });
  await t.rejects(load({ url: 'http://127.0.0.1/' }), { code: 'SOURCE_NOT_ALLOWED' });
});

t.test('the total time limit holds against an origin that drips', async (t) => {
  const origin = await startOrigin(t, (_request, response) => {
    response.write('x');
    const drip = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(drip));
  });
  const loader = createImageLoader({ ...options, allow: [origin.host], fetchTimeoutMs: 200 });
  const start = performance.now();
  await t.rejects(loader.load({ kind: 'url', url: `http://${origin.host}/` }, never), {
    code: 'DEADLINE_EXCEEDED',
    message: /"fetching".* 200 ms.*OCR_FETCH_TIMEOUT_MS/,
  });
  const elapsed = performance.now() - start;
  t.ok(elapsed >= 195 && elapsed < 5000, `${elapsed} ms`);
  await origin.allClosed();
});

t.test("the caller's signal", async (t) => {
  const origin = await startOrigin(t, () => {});
  const loader = createImageLoader({ ...options, allow: [origin.host] });
  const source = { kind: 'url', url: `http://${origin.host}/` } as const;
  await t.rejects(loader.load(source, AbortSignal.timeout(50)), {
    code: 'DEADLINE_EXCEEDED',
    message: /"fetching".*OCR_REQUEST_TIMEOUT_MS/,
  });
  await origin.allClosed();
  const before = origin.connections();
  const gone = new Error('client left');
  await t.rejects(loader.load(source, AbortSignal.abort(gone)), gone);
  t.equal(origin.connections(), before, 'nothing is sent for a caller who has left');
});

t.test('settings that cannot be read stop the start', async (t) => {
  t.throws(() => createImageLoader({ ...options, allow: ['10.0.0.0/40'] }), { message: /OCR_SOURCE_ALLOW/ });
  const s3 = { ...options.s3, endpoint: 'minio:9000' };
  t.throws(() => createImageLoader({ ...options, s3 }), { message: /OCR_S3_ENDPOINT/ });
});

t.test('what is fetched is counted as it arrives, base64 is not', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end(Buffer.alloc(800)));
  const loader = createImageLoader({ ...options, allow: [origin.host] });
  t.teardown(() => loader.close());
  let counted = 0;
  const onBytes = (bytes: number): void => {
    counted += bytes;
  };
  await loader.load(parseSource({ img: 'QUJD' }), never, onBytes);
  t.equal(counted, 0);
  await loader.load(parseSource({ url: `http://${origin.host}/` }), never, onBytes);
  t.equal(counted, 800);
});
