import t from 'tap';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import type { Page, ReadOptions } from '../../src/ocr/page.ts';
import { buildFakeApp, fakeEngine, IMAGE, rectangle, SAMPLE_PAGE } from './fixtures/fake-parts.ts';

/** A page of two words with character places, as the engine gives it when asked. */
const PAGE: Page = {
  ...SAMPLE_PAGE,
  lines: [
    {
      text: 'ab 中',
      confidence: 0.98765,
      quad: rectangle(10, 20, 70, 40),
      characters: [
        { text: 'a', confidence: 0.99, quad: rectangle(10, 20, 20, 40) },
        { text: 'b', confidence: 0.98, quad: rectangle(21, 20, 30, 40) },
        { text: ' ', confidence: 0.9, quad: rectangle(30, 20, 50, 40) },
        { text: '中', confidence: 1, quad: rectangle(50, 20, 70, 40) },
      ],
    },
    { text: 'smudge', confidence: 0.1, quad: rectangle(10, 100, 60, 120) },
  ],
  model: { name: 'pack', version: '0123456789ab' },
};

/** The app, and the choices that its engine was given. */
async function withSeen(page: Page = PAGE, env: Readonly<Record<string, string>> = {}) {
  const seen: ReadOptions[] = [];
  const read = async (_image: Uint8Array, options: ReadOptions) => {
    seen.push(options);
    return page;
  };
  const app = await buildFakeApp({ env, engine: fakeEngine({ read }) });
  const post = (payload: object, query = '', headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/v1/ocr${query}`, payload, headers });
  return { app, seen, post };
}

t.test('the answer', async (t) => {
  const { app, seen, post } = await withSeen();
  t.teardown(() => app.close());
  const response = await post({ img: SAMPLE_IMAGE_BASE64, words: true });
  t.equal(response.statusCode, 200, response.body);
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  const { timings, ...answer } = response.json();
  t.strictSame(Object.keys(timings), ['fetchMs', 'waitMs', 'totalMs']);
  t.strictSame(answer, {
    text: 'ab 中',
    pageCount: 1,
    pages: [
      {
        page: 1,
        width: 400,
        height: 300,
        angle: 0,
        text: 'ab 中',
        lines: [
          {
            text: 'ab 中',
            confidence: 0.9876,
            polygon: [
              [10, 20],
              [70, 20],
              [70, 40],
              [10, 40],
            ],
            box: { left: 10, top: 20, width: 60, height: 20 },
            orientation: 0,
            row: 1,
            paragraph: 1,
            block: 1,
            words: [
              {
                text: 'ab',
                confidence: 0.985,
                polygon: [
                  [10, 20],
                  [30, 20],
                  [30, 40],
                  [10, 40],
                ],
                box: { left: 10, top: 20, width: 20, height: 20 },
              },
              {
                text: '中',
                confidence: 1,
                polygon: [
                  [50, 20],
                  [70, 20],
                  [70, 40],
                  [50, 40],
                ],
                box: { left: 50, top: 20, width: 20, height: 20 },
              },
            ],
          },
        ],
        textFrom: 'picture',
        timings: { decodeMs: 5, detectMs: 200, recognizeMs: 100, totalMs: 310 },
      },
    ],
    model: { name: 'pack', version: '0123456789ab' },
  });
  t.strictSame(seen, [
    { orientation: 'auto', textLayer: 'auto', characters: true, picture: false, page: 1, maxSide: 4096 },
  ]);
});

t.test('words and characters only for those who ask', async (t) => {
  const { app, seen, post } = await withSeen();
  t.teardown(() => app.close());
  const keys = async (payload: object) => Object.keys((await post(payload)).json().pages[0].lines[0]).slice(8);
  t.strictSame(await keys({ img: IMAGE }), []);
  t.strictSame(await keys({ img: IMAGE, characters: true }), ['characters']);
  t.strictSame(await keys({ img: IMAGE, characters: true, words: true }), ['words', 'characters']);
  t.strictSame(
    seen.map(({ characters }) => characters),
    [false, true, true],
  );
});

t.test('options from the body, the query and forms', async (t) => {
  const { app, seen, post } = await withSeen();
  t.teardown(() => app.close());
  const region = { left: 1, top: 2, width: 3, height: 4 };
  const wanted = {
    orientation: 'off',
    textLayer: 'off',
    characters: false,
    picture: false,
    region,
    page: 1,
    maxSide: 4096,
  };

  t.equal((await post({ img: IMAGE, region, orientation: 'off', textLayer: 'off' })).statusCode, 200);
  t.equal((await post({ img: IMAGE }, '?region=1,2,3,4&orientation=off&textLayer=off')).statusCode, 200);
  t.equal(
    (await post({ img: IMAGE, region }, '?region=5,6,7,8&orientation=off&textLayer=off')).statusCode,
    200,
    'the body wins',
  );
  const form = new FormData();
  form.append('img', new Blob(['picture']), 'a.png');
  form.append('region', '1,2,3,4');
  form.append('orientation', 'off');
  form.append('textLayer', 'off');
  const encoded = new Response(form);
  const response = await app.inject({
    method: 'POST',
    url: '/v1/ocr',
    headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
    payload: Buffer.from(await encoded.arrayBuffer()),
  });
  t.equal(response.statusCode, 200, response.body);
  t.strictSame(seen, [wanted, wanted, wanted, wanted]);
});

t.test('minScore', async (t) => {
  const { app, post } = await withSeen();
  t.teardown(() => app.close());
  const texts = async (payload: object, query = '') =>
    (await post({ img: IMAGE, ...payload }, query)).json().pages[0].lines.map(({ text }: { text: string }) => text);
  t.strictSame(await texts({}), ['ab 中'], 'OCR_MIN_SCORE unless given');
  t.strictSame(await texts({ minScore: 0.1 }), ['ab 中', 'smudge']);
  t.strictSame(await texts({}, '?minScore=0.99'), []);
});

t.test('the format by field, query or Accept', async (t) => {
  const { app, seen, post } = await withSeen();
  t.teardown(() => app.close());
  const type = async (payload: object, query = '', accept?: string) => {
    const response = await post({ img: IMAGE, ...payload }, query, accept === undefined ? {} : { accept });
    t.equal(response.statusCode, 200, response.body);
    t.equal(response.headers.vary, 'accept');
    return response.headers['content-type'];
  };
  t.equal(await type({ format: 'text' }), 'text/plain; charset=utf-8');
  t.equal(await type({}, '?format=markdown'), 'text/markdown; charset=utf-8');
  t.equal(await type({ format: 'tsv' }, '?format=markdown'), 'text/tab-separated-values; charset=utf-8');
  t.equal(await type({}, '', 'text/html, application/json;q=0.5'), 'text/vnd.hocr+html; charset=utf-8');
  t.equal(await type({}, '', 'application/json;q=0.5, application/alto+xml'), 'application/alto+xml; charset=utf-8');
  t.equal(await type({ format: 'json' }, '', 'text/plain'), 'application/json; charset=utf-8');
  t.equal(await type({}, '', '*/*'), 'application/json; charset=utf-8');
  t.equal(await type({}, '', 'image/png'), 'application/json; charset=utf-8', 'nothing of ours');
  t.strictSame(
    seen.map(({ characters }) => characters),
    [false, false, true, true, true, false, false, false],
    'formats with words ask for them',
  );
});

t.test('what is wrong with an option is said', async (t) => {
  const { app, seen, post } = await withSeen();
  t.teardown(() => app.close());
  const wrong: [object, string, RegExp][] = [
    [{ format: 'docx' }, '', /^`format` must be one of json, text/],
    [{}, '?format=docx', /^`format` must be one of json, text/],
    [{ minScore: 2 }, '', /^`minScore`/],
    [{ minScore: '0.5' }, '', /^`minScore`/],
    [{}, '?minScore=-1', /^`minScore`/],
    [{ region: '1,2,3,4' }, '', /^`region`/],
    [{ region: { left: 0, top: 0, width: 0, height: 5 } }, '', /^`region`/],
    [{}, '?region=1,2,3', /^`region`/],
    [{ orientation: 'on' }, '', /^`orientation`/],
    [{ textLayer: 'always' }, '', /^`textLayer`/],
    [{ words: 'true' }, '', /^`words`/],
    [{}, '?words=1', /^`words`/],
    [{}, '?characters=true&characters=true', /^`characters`/],
  ];
  for (const [payload, query, message] of wrong) {
    const response = await post({ img: IMAGE, ...payload }, query);
    t.equal(response.statusCode, 400);
    t.match(response.json(), { code: 'INVALID_REQUEST', message });
  }
  t.match((await post({ format: 'text' })).json(), { code: 'INVALID_REQUEST', message: /^The image is missing/ });
  t.strictSame(seen, []);
});

t.test('the door, the keys and the log are those of the contract route', async (t) => {
  const { app, post } = await withSeen(PAGE, { OCR_API_KEYS: 'secret' });
  t.teardown(() => app.close());
  t.equal((await post({ img: IMAGE })).statusCode, 401);
  t.equal((await post({ img: IMAGE }, '', { 'x-api-key': 'secret' })).statusCode, 200);
  t.equal((await app.inject('/v1/ocr')).statusCode, 405);
  const metrics = await app.inject('/metrics');
  t.match(metrics.body, 'general_ocr_requests_total{route="/v1/ocr",method="POST",status="200",code="OK"} 1');
  t.match(metrics.body, 'general_ocr_pages_total 1');
});

/** The app with an engine for files of five pages; each page says its number. */
async function withPages(env: Readonly<Record<string, string>> = {}) {
  const seen: ReadOptions[] = [];
  const read = async (_image: Uint8Array, options: ReadOptions): Promise<Page> => {
    seen.push(options);
    const line = { text: `page ${options.page}`, confidence: 1, quad: rectangle(10, 20, 70, 40) };
    return { ...SAMPLE_PAGE, lines: [line], pageCount: 5 };
  };
  const app = await buildFakeApp({ env, engine: fakeEngine({ read }) });
  const post = (query: string) =>
    app.inject({
      method: 'POST',
      url: `/v1/ocr${query}`,
      headers: { 'content-type': 'application/pdf' },
      payload: Buffer.from('%PDF-'),
    });
  return { app, seen, post };
}

t.test('pages of a file, each a task of its own', async (t) => {
  const { app, seen, post } = await withPages();
  t.teardown(() => app.close());
  const numbers = async (query: string) => {
    const answer = (await post(query)).json();
    t.equal(answer.pageCount, 5);
    return answer.pages.map(({ page, text }: { page: number; text: string }) => `${page}: ${text}`);
  };
  t.strictSame(
    await numbers(''),
    [1, 2, 3, 4, 5].map((n) => `${n}: page ${n}`),
  );
  t.strictSame(await numbers('?pages=2'), ['2: page 2']);
  t.strictSame(await numbers('?pages=2-3'), ['2: page 2', '3: page 3']);
  t.strictSame(await numbers('?pages=4-'), ['4: page 4', '5: page 5']);
  t.strictSame(await numbers('?pages=4-99'), ['4: page 4', '5: page 5']);
  t.equal((await post('?pages=2-3&format=text')).body, 'page 2\n\fpage 3\n');
  t.ok(seen.every(({ maxSide }) => maxSide === 4096));
  t.match((await app.inject('/metrics')).body, 'general_ocr_pages_total 14', 'every page counts');
});

t.test('too many pages, and ranges that make no sense', async (t) => {
  const { app, seen, post } = await withPages({ OCR_MAX_PAGES: '2' });
  t.teardown(() => app.close());
  t.match((await post('')).json(), {
    code: 'INVALID_REQUEST',
    message: /5 pages, and at most 2 .* 1-2;.*OCR_MAX_PAGES/,
  });
  t.equal(seen.length, 1, 'the first page tells how many there are');
  t.equal((await post('?pages=4-')).statusCode, 200);
  for (const pages of ['0', '3-2', 'a', '1,2', '-3', '']) {
    t.match((await post(`?pages=${pages}`)).json(), { code: 'INVALID_REQUEST', message: /^`pages`/ }, pages);
  }
});

t.test('OCR_MORE_FORMATS=false leaves the formats of the contract', async (t) => {
  const { app, seen, post } = await withPages({ OCR_MORE_FORMATS: 'false' });
  t.teardown(() => app.close());
  t.equal((await post('')).statusCode, 415);
  const response = await app.inject({ method: 'POST', url: '/v1/ocr', payload: { img: IMAGE } });
  t.equal(response.statusCode, 200);
  t.notOk('page' in (seen[0] ?? {}), 'the engine is asked for nothing but those');
});

t.test('the contract route takes no further media types', async (t) => {
  const { app } = await withPages();
  t.teardown(() => app.close());
  for (const type of ['image/webp', 'image/tiff', 'application/pdf']) {
    const headers = { 'content-type': type };
    const response = await app.inject({ method: 'POST', url: '/general_ocr', headers, payload: Buffer.from('x') });
    t.equal(response.statusCode, 415, type);
  }
});

t.test('the options change nothing for the contract route', async (t) => {
  const { app, seen } = await withSeen();
  t.teardown(() => app.close());
  const payload = { img: IMAGE, format: 'text', words: 7, region: 'x', minScore: 'y' };
  const response = await app.inject({
    method: 'POST',
    url: '/general_ocr?format=pdf',
    payload,
    headers: { accept: 'application/pdf' },
  });
  t.equal(response.statusCode, 200);
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  t.strictSame(seen, [{ maxSide: 4096 }], 'the engine is asked for nothing more');
});
