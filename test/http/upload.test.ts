import t from 'tap';
import type { FastifyInstance } from 'fastify';
import { OcrError } from '../../src/errors.ts';
import { parseForm } from '../../src/http/upload.ts';
import { buildFakeApp, fakeEngine, IMAGE, SAMPLE_PAGE } from './fixtures/fake-parts.ts';

type Value = string | Blob;

/** Bytes that no text encoding leaves as they are, with what ends lines and parts in forms among them. */
const PICTURE = Buffer.concat([Buffer.from([0xff, 0xd8, 0, 13, 10, 45, 45, 13, 10]), Buffer.alloc(200_000, '\r\n--')]);

/** A form as fetch() sends it. */
async function formOf(fields: readonly [name: string, value: Value, fileName?: string][]) {
  const form = new FormData();
  for (const [name, value, fileName] of fields) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, fileName);
  }
  const response = new Response(form);
  return {
    type: response.headers.get('content-type') ?? '',
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

const file = (bytes: Buffer = PICTURE): Blob => new Blob([new Uint8Array(bytes)]);

const send = (app: FastifyInstance, type: string, payload: Buffer | string) =>
  app.inject({ method: 'POST', url: '/general_ocr', headers: { 'content-type': type }, payload });

async function sendForm(app: FastifyInstance, ...fields: [name: string, value: Value, fileName?: string][]) {
  const { type, bytes } = await formOf(fields);
  return send(app, type, bytes);
}

/** The app, and what its engine was given. */
async function withSeen(env: Readonly<Record<string, string>> = {}) {
  const seen: Buffer[] = [];
  const read = async (image: Uint8Array) => {
    seen.push(Buffer.from(image));
    return SAMPLE_PAGE;
  };
  return { app: await buildFakeApp({ env, engine: fakeEngine({ read }) }), seen };
}

t.test('a form and a raw body give the answer of JSON, from the bytes as they are', async (t) => {
  const { app, seen } = await withSeen();
  t.teardown(() => app.close());
  const json = await send(app, 'application/json', JSON.stringify({ img: PICTURE.toString('base64') }));
  t.equal(json.statusCode, 200);
  const answers = [await sendForm(app, ['img', file(), 'a.png'])];
  for (const type of ['image/jpeg', 'image/png', 'image/bmp', 'IMAGE/PNG; q=1'])
    answers.push(await send(app, type, PICTURE));
  for (const { statusCode, body } of answers) t.strictSame([statusCode, body], [200, json.body]);
  t.equal(seen.length, 6);
  for (const bytes of seen) t.ok(bytes.equals(PICTURE));
});

t.test('the memory of a large picture is given back with its answer, whatever that is', async (t) => {
  const picture = Buffer.alloc(3_000_000, PICTURE);
  const json = JSON.stringify({ img: picture.toString('base64') });
  const form = await formOf([['img', file(picture), 'a.png']]);
  for (const fails of [false, true]) {
    const given: Uint8Array[] = [];
    const read = async (image: Uint8Array) => {
      t.ok(picture.equals(image));
      given.push(image);
      if (fails) throw new OcrError('INVALID_IMAGE', 'The picture is damaged.');
      return SAMPLE_PAGE;
    };
    const app = await buildFakeApp({ engine: fakeEngine({ read }) });
    for (const [type, payload] of [
      ['application/json', json],
      ['image/png', picture],
      [form.type, form.bytes],
    ] as const) {
      t.equal((await send(app, type, payload)).statusCode, fails ? 400 : 200);
    }
    t.strictSame(
      given.map(({ length }) => length),
      [0, 0, 0],
    );
    await app.close();
  }
});

t.test('a form has the fields of JSON', async (t) => {
  const { app } = await withSeen();
  t.teardown(() => app.close());
  const words = (body: string): number => JSON.parse(body).length;
  for (const yes of ['true', 'True', 'TRUE']) {
    t.equal(words((await sendForm(app, ['duration', yes], ['img', file(), 'a.png'])).body), 2, yes);
  }
  for (const no of ['false', '']) {
    t.equal(words((await sendForm(app, ['img', file(), 'a.png'], ['duration', no])).body), 1, `"${no}"`);
  }
  const wrong = await sendForm(app, ['img', file(), 'a.png'], ['duration', 'yes']);
  t.match(wrong.json(), { code: 'INVALID_REQUEST', message: '`duration` must be true or false.' });
  t.equal((await sendForm(app, ['img', file(), 'a.png'], ['note', 'x'])).statusCode, 200, 'others are ignored');
});

t.test('url in a form, which wins over a file', async (t) => {
  const seen: unknown[] = [];
  const load = async (source: unknown) => {
    seen.push(source);
    return Buffer.from('fetched');
  };
  const app = await buildFakeApp({ images: { load } });
  t.teardown(() => app.close());
  t.equal((await sendForm(app, ['url', 'https://example.com/a.png'])).statusCode, 200);
  t.equal((await sendForm(app, ['img', file(), 'a.png'], ['url', 's3://my-bucket/a.png'])).statusCode, 200);
  t.strictSame(seen, [
    { kind: 'url', url: 'https://example.com/a.png' },
    { kind: 's3', bucket: 'my-bucket', key: 'a.png' },
  ]);
  t.match((await sendForm(app, ['url', 'ftp://example.com/a.png'])).json(), {
    code: 'INVALID_REQUEST',
    message: /url/,
  });
});

t.test('what is refused, and why', async (t) => {
  const { app, seen } = await withSeen();
  t.teardown(() => app.close());
  const many = Array.from({ length: 30 }, (_, i): [string, Value] => [`f${i}`, 'x']);
  const { type, bytes } = await formOf([['img', file(), 'a.png']]);
  const cases: [name: string, response: Awaited<ReturnType<typeof send>>, message: RegExp][] = [
    ['two files', await sendForm(app, ['img', file(), 'a.png'], ['img', file(), 'b.png']), /several files/],
    ['two names', await sendForm(app, ['img', file(), 'a.png'], ['more', file(), 'b.png']), /several files/],
    ['another name', await sendForm(app, ['file', file(), 'a.png']), /must be called `img`/],
    ['base64 as text', await sendForm(app, ['img', IMAGE]), /base64 goes into JSON/],
    ['an empty file', await sendForm(app, ['img', file(Buffer.alloc(0)), 'a.png']), /is empty/],
    ['no file chosen', await sendForm(app, ['img', file(Buffer.alloc(0)), '']), /image is missing/],
    ['nothing', await sendForm(app, ['note', 'x']), /image is missing/],
    ['url twice', await sendForm(app, ['url', 'http://a/'], ['url', 'http://b/']), /several fields `url`/],
    ['a long field', await sendForm(app, ['note', 'x'.repeat(70_000)]), /65536 bytes/],
    ['many parts', await sendForm(app, ...many), /more than 20 parts/],
    ['no boundary', await send(app, 'multipart/form-data', bytes), /names no boundary/],
    ['another boundary', await send(app, 'multipart/form-data; boundary=other', bytes), /damaged or was cut off/],
    ['cut off', await send(app, type, bytes.subarray(0, -1000)), /damaged or was cut off/],
    ['no closing line', await send(app, type, bytes.subarray(0, -8)), /damaged or was cut off/],
    ['an empty form', await send(app, type, ''), /./],
    ['an empty file as body', await send(app, 'image/png', ''), /body is empty/],
    ['no image, oddly spelt JSON', await send(app, 'Application/JSON', '{}'), /image is missing/],
  ];
  for (const [name, response, message] of cases) {
    t.match(response.json(), { statusCode: 400, code: 'INVALID_REQUEST', message }, name);
  }
  t.strictSame(seen, [], 'nothing of this reaches the engine');
  const other = await send(app, 'application/x-www-form-urlencoded', 'img=1');
  t.match(other.json(), { statusCode: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message: /multipart\/form-data/ });
});

t.test('the limits of JSON hold', async (t) => {
  const { app, seen } = await withSeen({ OCR_MAX_IMAGE_BYTES: '2048' });
  t.teardown(() => app.close());
  const most = Buffer.alloc(2048, 1);
  t.equal((await sendForm(app, ['img', file(most), 'a.png'])).statusCode, 200);
  t.equal((await send(app, 'image/png', most)).statusCode, 200);
  const more = Buffer.alloc(2049, 1);
  const larger = { statusCode: 413, code: 'BODY_TOO_LARGE', message: /2049 bytes, more than the 2048/ };
  t.match((await sendForm(app, ['img', file(more), 'a.png'])).json(), larger);
  t.match((await send(app, 'image/bmp', more)).json(), larger);
  const huge = { statusCode: 413, code: 'BODY_TOO_LARGE', message: /request body is larger/ };
  t.match((await send(app, 'image/png', Buffer.alloc(100_000))).json(), huge);
  t.match((await sendForm(app, ['img', file(Buffer.alloc(100_000)), 'a.png'])).json(), huge);
  t.equal(seen.length, 2);
});

t.test('keys are asked for', async (t) => {
  const { app, seen } = await withSeen({ OCR_API_KEYS: 'secret' });
  t.teardown(() => app.close());
  t.equal((await sendForm(app, ['img', file(), 'a.png'])).statusCode, 401);
  t.equal((await send(app, 'image/png', PICTURE)).statusCode, 401);
  t.strictSame(seen, []);
});

t.test('a file part without a name for the file', async (t) => {
  const part = (type: string): Buffer =>
    Buffer.from(`--b\r\ncontent-disposition: form-data; name="img"\r\ncontent-type: ${type}\r\n\r\nbytes\r\n--b--\r\n`);
  for (const type of ['image/png', 'application/octet-stream']) {
    const { img } = await parseForm(part(type), 'multipart/form-data; boundary=b');
    t.equal(img?.toString(), 'bytes', type);
  }
});

t.test('a form that was tampered with is read or refused, and always in the end', async (t) => {
  const { type, bytes } = await formOf([
    ['duration', 'true'],
    ['img', file(Buffer.from('a picture')), 'a.png'],
    ['url', ''],
  ]);
  // xorshift32, so that every run is the same.
  let state = 1;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  let refusals = 0;
  for (let round = 0; round < 2000; round++) {
    const changed = Buffer.from(bytes);
    for (let i = 0; i <= random(4); i++) changed[random(changed.length)] = random(256);
    const form = random(3) === 0 ? changed.subarray(0, random(changed.length)) : changed;
    try {
      await parseForm(form, type);
    } catch (error) {
      refusals += 1;
      if (!(error instanceof Error && 'code' in error && error.code === 'INVALID_REQUEST')) throw error;
    }
  }
  t.ok(refusals > 500 && refusals < 2000, `${refusals} of 2000 refused`);
});
