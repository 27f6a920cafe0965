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

t.test('what clients send along may be large, as long as it is not built of a great many values', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const more = { comment: 'x'.repeat(1_000_000), list: new Array(9000).fill(1) };
  t.equal((await post(app, { img: IMAGE, ...more })).statusCode, 200);
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
    refuseIfFull: () => undefined,
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

t.test('an engine that takes no pages: nothing is received or fetched', async (t) => {
  let loads = 0;
  const app = await buildFakeApp({
    engine: fakeEngine({
      refuseIfUnavailable() {
        throw new OcrError('UNAVAILABLE', 'Starting.', { retryAfterSeconds: 7 });
      },
    }),
    images: {
      async load() {
        loads += 1;
        return Buffer.from('bytes');
      },
    },
  });
  t.teardown(() => app.close());
  const { port } = await listen(app);
  const socket = connect(port, '127.0.0.1');
  // The length is announced and nothing sent: the answer comes all the same.
  socket.write(
    'POST /general_ocr HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n',
  );
  t.match(await readHead(socket), /^HTTP\/1\.1 503 [^]*\r\nretry-after: 7\r\n/i);
  socket.destroy();
  t.equal(loads, 0);
});

t.test('an engine that stops taking pages while the body arrives: nothing is fetched', async (t) => {
  let asked = 0;
  const app = await buildFakeApp({
    engine: fakeEngine({
      refuseIfUnavailable() {
        asked += 1;
        if (asked === 2) throw new OcrError('UNAVAILABLE', 'Dead.');
      },
    }),
    images: { load: () => Promise.reject(new Error('was fetched')) },
  });
  t.teardown(() => app.close());
  const answer = await post(app, { url: 'https://example.com/a.png' });
  t.match(answer, { statusCode: 503 });
  t.equal(answer.json().code, 'UNAVAILABLE');
});

t.test('fetched pictures count among the bytes held, and go when there is no room', async (t) => {
  const app = await buildFakeApp({
    // Four requests of at most this are held: some 270,000 bytes.
    env: { OCR_MAX_IMAGE_BYTES: '1024' },
    images: {
      load: (_source, signal, onBytes) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('the fetch was ended')));
          onBytes?.(300_000);
          if (!signal.aborted) resolve(Buffer.from('bytes'));
        }),
    },
  });
  t.teardown(() => app.close());
  const answer = await post(app, { url: 'https://example.com/a.png' });
  t.match(answer, { statusCode: 429, headers: { 'retry-after': '1' } });
  t.equal(answer.json().code, 'OVERLOADED');
});

t.test('full: refused before the body has arrived', async (t) => {
  const app = await buildFakeApp({
    admission: {
      enter: () => () => undefined,
      refuseIfFull() {
        throw new OcrError('OVERLOADED', 'Full.', { retryAfterSeconds: 2 });
      },
    },
  });
  t.teardown(() => app.close());
  const { port } = await listen(app);
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /general_ocr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 70000000\r\n\r\n{',
  );
  t.match(await readHead(socket), /^HTTP\/1\.1 429 [^]*\r\nretry-after: 2\r\n/i);
  socket.destroy();
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

async function listen(app: Awaited<ReturnType<typeof buildFakeApp>>): Promise<AddressInfo> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address() as AddressInfo;
}

/** What has come once the headers of the answer are whole. */
async function readHead(socket: ReturnType<typeof connect>): Promise<string> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\r\n\r\n')) break;
  }
  return text;
}

async function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
