/**
 * Against a real S3 server. Not part of `npm test`, because it needs a program that npm cannot install:
 *
 *     go install github.com/versity/versitygw/cmd/versitygw@latest
 *     npm run test:s3          (VERSITYGW names the program where it is not on the PATH)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { createImageLoader, type ImageLoaderOptions, parseSource } from '../../src/source/load-image.ts';
import { closedPort, startOrigin } from './local-origin.ts';

const ACCESS_KEY = `key-${randomUUID()}`;
const SECRET_KEY = randomUUID();
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
const setKeys = (secret: string): void => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
};
setKeys(SECRET_KEY);

const never = new AbortController().signal;

async function startGateway(folder: string, port: number): Promise<ChildProcess> {
  const program = process.env.VERSITYGW ?? 'versitygw';
  const gateway = spawn(program, ['--port', `127.0.0.1:${port}`, 'posix', folder], {
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(gateway, 'spawn').catch((error: unknown) => {
    const install = 'go install github.com/versity/versitygw/cmd/versitygw@latest';
    throw new Error(
      `${program} cannot be started (${String(error)}). Install it (${install}) or name it in VERSITYGW.`,
    );
  });
  await listening(gateway, port);
  return gateway;
}

/** Asks until the gateway answers; it says nothing that could be waited for. */
async function listening(gateway: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    if (gateway.exitCode !== null) throw new Error(`versitygw ended with ${gateway.exitCode}`);
    const answered = await new Promise<boolean>((resolve) => {
      const request = http.get({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.resume();
        resolve(true);
      });
      request.on('error', () => setTimeout(() => resolve(false), 50));
    });
    if (answered) return;
    if (Date.now() > deadline) throw new Error('versitygw did not answer within 20 s');
  }
}

t.test('a real S3 server', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'ocr-s3-'));
  t.teardown(() => fs.rm(folder, { recursive: true, force: true }));
  const port = await closedPort();
  const gateway = await startGateway(folder, port);
  t.teardown(async () => {
    if (gateway.exitCode !== null) return;
    gateway.kill();
    await once(gateway, 'exit');
  });

  // A folder is a bucket, a file an object.
  const image = randomBytes(3_000_000);
  const objects: [bucket: string, key: string, bytes: Buffer][] = [
    ['pictures', 'a folder/图 片+1%20.png', image],
    ['pictures', 'small.png', image.subarray(0, 10)],
    ['pictures', 'large.png', Buffer.alloc(3_000_001)],
    ['secrets', 'small.png', Buffer.from('secret')],
  ];
  for (const [bucket, key, bytes] of objects) {
    await fs.mkdir(path.dirname(path.join(folder, bucket, key)), { recursive: true });
    await fs.writeFile(path.join(folder, bucket, key), bytes);
  }

  const options: ImageLoaderOptions = {
    maxBytes: image.length,
    fetchTimeoutMs: 10_000,
    allow: [],
    urlPorts: [80, 443],
    s3: {
      buckets: ['pictures', 'missing-bucket'],
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      region: '',
    },
  };
  const loader = createImageLoader(options);
  t.teardown(() => loader.close());
  const load = async (url: string, from = loader): Promise<Buffer> => from.load(parseSource({ url }), never);

  t.test('reads objects byte for byte', async (t) => {
    t.ok((await load('s3://pictures/a folder/图 片+1%20.png')).equals(image), 'as large as the limit');
    t.ok((await load('s3://pictures/small.png')).equals(image.subarray(0, 10)));
  });

  t.test('a missing key and a missing bucket have one text', async (t) => {
    const key: unknown = await load('s3://pictures/missing.png').catch((error: unknown) => error);
    const bucket: unknown = await load('s3://missing-bucket/small.png').catch((error: unknown) => error);
    t.match(key, { code: 'SOURCE_UNAVAILABLE', detail: /NoSuchKey/ });
    t.match(bucket, { code: 'SOURCE_UNAVAILABLE', detail: /NoSuchBucket/ });
    t.equal(key instanceof Error && key.message, bucket instanceof Error && bucket.message);
  });

  t.test('wrong credentials', async (t) => {
    setKeys('wrong');
    t.teardown(() => setKeys(SECRET_KEY));
    const stranger = createImageLoader(options);
    t.teardown(() => stranger.close());
    await t.rejects(load('s3://pictures/small.png', stranger), {
      code: 'SOURCE_UNAVAILABLE',
      detail: /SignatureDoesNotMatch/,
    });
  });

  t.test('an object one byte over the limit', async (t) => {
    await t.rejects(load('s3://pictures/large.png'), {
      code: 'BODY_TOO_LARGE',
      message: / 3000001 bytes.* 3000000 bytes/,
    });
  });

  t.test('a bucket that is not listed', async (t) => {
    await t.rejects(load('s3://secrets/small.png'), { code: 'SOURCE_NOT_ALLOWED', message: /OCR_S3_BUCKETS/ });
    const open = createImageLoader({ ...options, s3: { ...options.s3, buckets: [] } });
    t.teardown(() => open.close());
    t.equal(String(await load('s3://secrets/small.png', open)), 'secret', 'without a list the credentials decide');
  });
});

t.test('refused names send no request', async (t) => {
  const counter = await startOrigin(t, (_request, response) => response.end());
  const s3 = { buckets: [], endpoint: `http://${counter.host}`, forcePathStyle: true, region: '' };
  const loader = createImageLoader({ maxBytes: 1000, fetchTimeoutMs: 5000, allow: [], urlPorts: [80], s3 });
  t.teardown(() => loader.close());
  const load = async (url: string): Promise<Buffer> => loader.load(parseSource({ url }), never);
  const refused = [
    's3://../secrets/small.png',
    's3://pictures/../secrets/small.png',
    's3://pictures/%2e%2e/x',
    's3://pictures',
  ];
  for (const url of refused) await t.rejects(load(url), { code: 'INVALID_REQUEST' }, url);
  t.equal(counter.connections(), 0);
  await load('s3://pictures/small.png');
  t.equal(counter.connections(), 1, 'the counter counts');
});
