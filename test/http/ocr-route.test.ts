import { once } from 'node:events';
import http from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import t from 'tap';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { OcrError } from '../../src/errors.ts';
import { buildFakeApp, fakeEngine, IMAGE, SAMPLE_PAGE, type FakeOptions } from './fixtures/fake-parts.ts';

const post = (app: Awaited<ReturnType<typeof buildFakeApp>>, payload: object) =>
  app.inject({ method: 'POST', url: '/general_ocr', payload });

t.test('the answer of the contract, byte for byte', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const response = await post(app, { img: SAMPLE_IMAGE_BASE64 });
  t.equal(response.statusCode, 200);
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  t.equal(
    response.body,
    '[{"words":"香港永久性居民身份證","location":{"top":18,"left":148,"width":169,"height":17},"score":0.9923796653747559}]',
    'keys in this order, the line below OCR_MIN_SCORE left out',
  );
});

t.test('an image without text gives an empty array', async (t) => {
  const app = await buildFakeApp({ engine: fakeEngine({ read: async () => ({ ...SAMPLE_PAGE, lines: [] }) }) });
  t.teardown(() => app.close());
  t.equal((await post(app, { img: IMAGE })).body, '[]');
});

t.test('OCR_MIN_SCORE', async (t) => {
  const app = await buildFakeApp({ env: { OCR_MIN_SCORE: '0.1' } });
  t.teardown(() => app.close());
  const words = (await post(app, { img: IMAGE })).json().map((line: { words: string }) => line.words);
  t.strictSame(words, ['香港永久性居民身份證', 'smudge'], 'a line of exactly this score stays');
});

t.test('duration', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const answer = (await post(app, { img: IMAGE, duration: true })).json();
  t.equal(answer.length, 2);
  t.strictSame(Object.keys(answer[1]), ['duration'], 'the last element');
  t.ok(answer[1].duration >= 0 && answer[1].duration < 5, 'seconds');
  t.equal((await post(app, { img: IMAGE, duration: false })).json().length, 1);
});

t.test('what reaches the source and the engine', async (t) => {
  const seen: unknown[] = [];
  const options: FakeOptions = {
    env: { OCR_MAX_SIDE: '1234' },
    images: {
      async load(source) {
        seen.push(source);
        return Buffer.from('bytes');
      },
    },
    engine: fakeEngine({
      async read(image, readOptions) {
        seen.push(Buffer.from(image).toString(), readOptions);
        return SAMPLE_PAGE;
      },
    }),
  };
  const app = await buildFakeApp(options);
  t.teardown(() => app.close());

  t.equal((await post(app, { url: 'https://example.com/a.png', img: IMAGE })).statusCode, 200);
  t.strictSame(
    seen.splice(0),
    [{ kind: 'url', url: 'https://example.com/a.png' }, 'bytes', { maxSide: 1234 }],
    'url wins',
  );
  t.equal((await post(app, { url: 's3://my-bucket/a/b.png' })).statusCode, 200);
  t.strictSame(seen.splice(0)[0], { kind: 's3', bucket: 'my-bucket', key: 'a/b.png' });
  t.equal((await post(app, { img: IMAGE, unknown: 1, constructor: 2 })).statusCode, 200, 'unknown fields are ignored');
});

t.test('a body without a content type is JSON, as the kit and its Python client have it', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const response = await app.inject({ method: 'POST', url: '/general_ocr', payload: JSON.stringify({ img: IMAGE }) });
  t.equal(response.statusCode, 200);
});

t.test('the place is given back, however the request ends', async (t) => {
  let inside = 0;
  const admission = {
    enter() {
      inside += 1;
      return () => {
        inside -= 1;
      };
    },
  };
  const failures: (() => Promise<never>)[] = [
    async () => {
      throw new OcrError('INVALID_IMAGE', 'Damaged.');
    },
    async () => {
      throw new Error('bug');
    },
  ];
  for (const read of failures) {
    const app = await buildFakeApp({ admission, engine: fakeEngine({ read }) });
    t.not((await post(app, { img: IMAGE })).statusCode, 200);
    t.equal(inside, 0);
    await app.close();
  }
  const app = await buildFakeApp({ admission });
  t.equal((await post(app, { img: IMAGE })).statusCode, 200);
  t.equal(inside, 0);
  t.equal((await post(app, {})).statusCode, 400);
  t.equal(inside, 0);
  await app.close();
});

t.test('a client that leaves stops the work and is counted', async (t) => {
  const reading = Promise.withResolvers<undefined>();
  const stop = Promise.withResolvers<unknown>();
  const observed = Promise.withResolvers<{ code: string; status: number }>();
  const app = await buildFakeApp({
    engine: fakeEngine({
      read: (_image, _options, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stop.resolve(signal.reason);
            reject(signal.reason);
          });
          reading.resolve(undefined);
        }),
    }),
    metrics: {
      contentType: 'text/plain',
      observePage: () => t.fail('no page was read'),
      observeRequest: (request) => observed.resolve(request),
      text: async () => '',
    },
  });
  t.teardown(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const client = http.request({ port, host: '127.0.0.1', path: '/general_ocr', method: 'POST' });
  client.on('error', () => {});
  client.end(JSON.stringify({ img: IMAGE }));
  await reading.promise;
  client.destroy();
  t.match(await stop.promise, { name: 'ClientLeft' });
  t.match(await observed.promise, { code: 'ABANDONED', status: 499 });
});

t.test('closing: what was accepted is answered, what comes then is not taken', async (t) => {
  const reading = Promise.withResolvers<undefined>();
  const finish = Promise.withResolvers<undefined>();
  const app = await buildFakeApp({
    engine: fakeEngine({
      async read() {
        reading.resolve(undefined);
        await finish.promise;
        return SAMPLE_PAGE;
      },
    }),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const body = JSON.stringify({ img: IMAGE });
  const head = `POST /general_ocr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

  const accepted = connect(port, '127.0.0.1');
  // Bytes of a second request are already on the way when closing begins: Node keeps that connection.
  const late = connect(port, '127.0.0.1');
  await Promise.all([once(accepted, 'connect'), once(late, 'connect')]);
  late.write(head);
  accepted.write(head + body);
  await reading.promise;
  const closed = app.close();
  late.write(body);
  const lateAnswer = await readAll(late);
  t.match(lateAnswer, /^HTTP\/1\.1 503 /);
  t.match(lateAnswer, /"code":"UNAVAILABLE"/);
  t.match(lateAnswer, /\r\nretry-after: 1\r\n/i);
  finish.resolve(undefined);
  const answer = await readAll(accepted);
  t.match(answer, /^HTTP\/1\.1 200 /);
  t.match(answer, /\r\nconnection: close\r\n/i);
  await closed;
});

async function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
