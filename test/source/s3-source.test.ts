import type http from 'node:http';
import t, { type Test } from 'tap';
import { createS3Source, type S3SourceOptions } from '../../src/source/s3-source.ts';
import { closedPort, type LocalOrigin, startOrigin } from './local-origin.ts';

// Only the environment may give credentials here: no profile of this user, no instance metadata.
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
Object.assign(process.env, ENVIRONMENT);

const never = new AbortController().signal;

function sourceAt(t: Test, endpoint: string, options: Partial<S3SourceOptions> = {}) {
  const source = createS3Source({
    buckets: [],
    endpoint,
    forcePathStyle: true,
    region: '',
    maxBytes: 1000,
    ...options,
  });
  t.teardown(() => source.close());
  return source;
}

/** A server that answers like S3 as far as GetObject goes. */
async function startS3(t: Test, handler: http.RequestListener): Promise<LocalOrigin & { endpoint: string }> {
  const origin = await startOrigin(t, handler);
  return { ...origin, endpoint: `http://${origin.host}` };
}

const xmlError = (status: number, code: string): http.RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>internal text</Message></Error>`);
  };
};

t.test('reads an object; the key arrives as it was written', async (t) => {
  const s3 = await startS3(t, (_request, response) => response.end('image'));
  const source = sourceAt(t, s3.endpoint);
  t.equal(String(await source.fetch('bucket', 'a b/%2f+中.png', never)), 'image');
  t.match(s3.requests[0].url, /^\/bucket\/a%20b\/%252f%2B%E4%B8%AD\.png\?/);
  t.match(s3.requests[0].headers.authorization, /^AWS4-HMAC-SHA256 Credential=test\/\d+\/us-east-1\/s3\//);
});

t.test('the SDK is not loaded, nor anything sent, before it is needed', async (t) => {
  const s3 = await startS3(t, (_request, response) => response.end('image'));
  const source = sourceAt(t, s3.endpoint, { buckets: ['listed'] });
  await t.rejects(source.fetch('other', 'key', never), { code: 'SOURCE_NOT_ALLOWED', message: /OCR_S3_BUCKETS/ });
  t.equal(s3.connections(), 0);
  t.equal(String(await source.fetch('listed', 'key', never)), 'image');
});

t.test('missing, forbidden and unreachable have one text', async (t) => {
  const errors: unknown[] = [];
  const rows: [number, string][] = [
    [404, 'NoSuchKey'],
    [404, 'NoSuchBucket'],
    [403, 'AccessDenied'],
    [403, 'InvalidAccessKeyId'],
    [301, 'PermanentRedirect'],
  ];
  for (const [status, code] of rows) {
    const s3 = await startS3(t, xmlError(status, code));
    const error: unknown = await sourceAt(t, s3.endpoint)
      .fetch('bucket', 'key', never)
      .catch((e: unknown) => e);
    t.match(error, { code: 'SOURCE_UNAVAILABLE', detail: new RegExp(`bucket bucket: ${code}`) });
    errors.push(error);
  }
  const port = await closedPort();
  errors.push(
    await sourceAt(t, `http://127.0.0.1:${port}`)
      .fetch('bucket', 'key', never)
      .catch((e: unknown) => e),
  );
  t.match(errors.at(-1), { code: 'SOURCE_UNAVAILABLE', detail: /ECONNREFUSED/ });
  const texts = new Set(errors.map((error) => (error instanceof Error ? error.message : '')));
  t.equal(texts.size, 1);
  t.notMatch([...texts][0], /internal text|NoSuch|127/);
});

t.test('what the operator has left out is named, and nothing is sent', async (t) => {
  const s3 = await startS3(t, (_request, response) => response.end('image'));
  t.teardown(() => Object.assign(process.env, ENVIRONMENT));
  delete process.env.AWS_ACCESS_KEY_ID;
  await t.rejects(sourceAt(t, s3.endpoint).fetch('bucket', 'key', never), {
    code: 'SOURCE_UNAVAILABLE',
    message: /AWS_ACCESS_KEY_ID/,
    detail: /CredentialsProviderError/,
  });
  Object.assign(process.env, ENVIRONMENT);
  await t.rejects(sourceAt(t, '').fetch('bucket', 'key', never), {
    code: 'SOURCE_UNAVAILABLE',
    message: /OCR_S3_REGION/,
  });
  t.equal(s3.connections(), 0);
});

t.test('objects over the limit', async (t) => {
  const announced = await startS3(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 1001 }).write('x');
  });
  await t.rejects(sourceAt(t, announced.endpoint).fetch('bucket', 'key', never), {
    code: 'BODY_TOO_LARGE',
    message: / 1001 bytes.* 1000 bytes/,
  });
  await announced.allClosed();
  const endless = await startS3(t, (_request, response) => {
    const pump = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', pump);
    pump();
  });
  await t.rejects(sourceAt(t, endless.endpoint).fetch('bucket', 'key', never), {
    code: 'BODY_TOO_LARGE',
    message: /at least/,
  });
  await endless.allClosed();
});

t.test('a damaged object is not handed on, and its connection is closed', async (t) => {
  const s3 = await startS3(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 5, 'x-amz-checksum-crc32': 'AAAAAA==' }).end('image');
  });
  await t.rejects(sourceAt(t, s3.endpoint).fetch('bucket', 'key', never), {
    code: 'SOURCE_UNAVAILABLE',
    detail: /Checksum/,
  });
  const short = await startS3(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('short');
    setImmediate(() => response.destroy());
  });
  await t.rejects(sourceAt(t, short.endpoint).fetch('bucket', 'key', never), { code: 'SOURCE_UNAVAILABLE' });
  await short.allClosed();
});

t.test('an abort ends a silent answer and a dripping body, with its own reason', async (t) => {
  const reason = new Error('deadline');
  const stages: [name: string, headers: Record<string, string>, answer: (response: http.ServerResponse) => void][] = [
    ['silent', {}, () => {}],
    ['drips', {}, (response) => void response.write('x')],
    [
      'drips, with a checksum to compare',
      { 'x-amz-checksum-crc32': 'AAAAAA==' },
      (response) => void response.write('x'),
    ],
  ];
  for (const [name, headers, answer] of stages) {
    const controller = new AbortController();
    const s3 = await startS3(t, (_request, response) => {
      for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
      answer(response);
      setImmediate(() => controller.abort(reason));
    });
    await t.rejects(sourceAt(t, s3.endpoint).fetch('bucket', 'key', controller.signal), reason, name);
    await s3.allClosed();
  }
});

t.test('a thousand objects over a handful of connections', async (t) => {
  const s3 = await startS3(t, (_request, response) => response.end('image'));
  const source = sourceAt(t, s3.endpoint);
  for (let i = 0; i < 50; i++)
    await Promise.all(Array.from({ length: 20 }, () => source.fetch('bucket', 'key', never)));
  t.equal(s3.requests.length, 1000);
  t.ok(s3.connections() <= 50, `${s3.connections()}: read to the end, connections are used again`);
  await source.close();
  await s3.allClosed();
});
