import { randomBytes } from 'node:crypto';
import t from 'tap';
import { liftImage } from '../../src/http/inline-image.ts';
import { buildFakeApp, fakeEngine, SAMPLE_PAGE } from './fixtures/fake-parts.ts';

const PICTURE = randomBytes(1_500_001);
const BASE64 = PICTURE.toString('base64');
const MAX = 2_000_000;

/** Posts a body and gives what became of it: the picture that reached the engine, and the answer. */
async function send(payload: string) {
  let read: Buffer | undefined;
  const engine = fakeEngine({
    read: async (image) => {
      read = Buffer.from(image);
      return SAMPLE_PAGE;
    },
  });
  const app = await buildFakeApp({ engine, env: { OCR_MAX_IMAGE_BYTES: String(MAX) } });
  const response = await app.inject({
    method: 'POST',
    url: '/general_ocr',
    payload,
    headers: { 'content-type': 'application/json' },
  });
  await app.close();
  const body: unknown = response.json();
  return { read, status: response.statusCode, body };
}

t.test('a large picture arrives as it was, wherever it stands in the body', async (t) => {
  for (const [name, body] of [
    ['alone', `{"img":"${BASE64}"}`],
    ['spaced, between others', ` { "note" : "a", "img" :\n "${BASE64}" , "duration": true } `],
    ['with a prefix', `{"img":"data:image/png;base64,${BASE64}"}`],
    ['given twice: the last counts', `{"img":"QUJD","img":"${BASE64}"}`],
    ['under a name with an escape, which JSON allows', `{"\\u0069mg":"${BASE64}"}`],
    ['with escaped slashes, as PHP writes them', `{"img":"${BASE64.replaceAll('/', '\\/')}"}`],
    ['in lines', JSON.stringify({ img: BASE64.replace(/.{76}/g, '$&\r\n') })],
    ['with blanks', `{"img":"${BASE64.slice(0, 400_000)} ${BASE64.slice(400_000)}"}`],
    ['beside another long text', `{"note":"${'é'.repeat(200_000)}","img":"${BASE64}"}`],
    ['beside another long text behind it', `{"img":"${BASE64}","note":"${'x'.repeat(300_000)}"}`],
  ] as const) {
    const { read, status } = await send(body);
    t.equal(status, 200, name);
    t.ok(read?.equals(PICTURE), name);
  }
  for (const length of [1_500_000, 1_500_002, 1_572_864, 786_432, 786_433]) {
    const picture = randomBytes(length);
    t.ok((await send(`{"img":"${picture.toString('base64')}"}`)).read?.equals(picture), `${length} bytes`);
  }
});

t.test('what is no clean base64 is refused as ever', async (t) => {
  for (const [name, body, code] of [
    ['a foreign character', `{"img":"${BASE64.slice(0, 500_000)}!${BASE64.slice(500_001)}"}`, 'INVALID_BASE64'],
    ['URL-safe', `{"img":"${BASE64.slice(0, 500_000)}-${BASE64.slice(500_001)}"}`, 'INVALID_BASE64'],
    ['padding inside', `{"img":"${BASE64.slice(0, 500_000)}=${BASE64.slice(500_001)}"}`, 'INVALID_BASE64'],
    ['cut off', `{"img":"${BASE64.slice(0, 500_001)}"}`, 'INVALID_BASE64'],
    ['Latin-1', `{"img":"${BASE64.slice(0, 500_000)}é${BASE64.slice(500_002)}"}`, 'INVALID_BASE64'],
    ['a bare line break', `{"img":"${BASE64.slice(0, 500_000)}\n${BASE64.slice(500_000)}"}`, 'INVALID_REQUEST'],
    ['no end', `{"img":"${BASE64}`, 'INVALID_REQUEST'],
    ['no brace', `{"img":"${BASE64}"`, 'INVALID_REQUEST'],
    ['in a list', `["${BASE64}"]`, 'INVALID_REQUEST'],
    ['in another field', `{"image":"${BASE64}"}`, 'INVALID_REQUEST'],
    ['deeper', `{"img":{"img":"${BASE64}"}}`, 'INVALID_REQUEST'],
    ['too large', `{"img":"${randomBytes(MAX + 1).toString('base64')}"}`, 'BODY_TOO_LARGE'],
  ] as const) {
    const { read, body: answer } = await send(body);
    t.match(answer, { code }, name);
    t.equal(read, undefined, name);
  }
});

t.test('given twice, the short one last', async (t) => {
  const { read } = await send(`{"img":"${BASE64}","img":"QUJD"}`);
  t.equal(read?.toString(), 'ABC');
});

t.test('url has priority', async (t) => {
  const { body } = await send(`{"img":"${BASE64}","url":"http://127.0.0.1/"}`);
  t.match(body, { code: 'SOURCE_NOT_ALLOWED' });
});

t.test('a client cannot name the placeholder', async (t) => {
  const lifted = liftImage(Buffer.from(`{"img":"${BASE64}"}`));
  t.match(lifted?.placeholder, /^lifted:[0-9a-f-]{36}$/);
  t.equal(lifted?.json, `{"img":"${lifted?.placeholder}"}`);
  t.equal(liftImage(Buffer.from('{"img":"QUJD"}')), undefined, 'short ones are left where they are');
});

t.test('others get their turn while it is decoded', async (t) => {
  const lifted = liftImage(Buffer.from(`{"img":"${Buffer.alloc(15_000_000, 7).toString('base64')}"}`));
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  t.equal((await lifted?.decode(15_000_000))?.length, 15_000_000);
  done = true;
  t.ok(turns >= 15, `${turns} turns of the event loop`);
});
