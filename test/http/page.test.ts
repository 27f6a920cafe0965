import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { loadPage, toBrowserModule } from '../../src/http/page-route.ts';
import { buildFakeApp } from './fixtures/fake-parts.ts';

/** What the whole page may weigh on its way, without the sample pictures. */
const MAX_COMPRESSED_BYTES = 60_000;
const MAX_SAMPLE_BYTES = 40_000;

const page = await loadPage({ maxSide: 4096, docs: true });
const textOf = (name: string): string => page.get(name)?.bytes.toString() ?? '';

t.test('the page and all that it refers to are served', async (t) => {
  const app = await buildFakeApp({ env: { OCR_MAX_SIDE: '2000' } });
  t.teardown(() => app.close());
  const response = await app.inject('/');
  t.equal(response.statusCode, 200);
  t.equal(response.headers['content-type'], 'text/html; charset=utf-8');
  t.match(response.body, 'data-max-side="2000"');
  t.notMatch(response.body, /%[A-Z_]+%/, 'every placeholder is filled in');
  const references = [...response.body.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => path);
  t.ok(references.length >= 7, 'style, program, icon and four samples');
  for (const path of new Set(references)) {
    t.equal((await app.inject(`/${path}`)).statusCode, 200, path);
  }
});

t.test('nothing inline, nothing from elsewhere', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const { headers, body } = await app.inject('/');
  const policy = String(headers['content-security-policy']);
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]) {
    t.match(policy, part);
  }
  t.notMatch(policy, /unsafe/);
  t.notMatch(body, /<style|\sstyle=|\son\w+=/, 'no inline style or handler');
  t.notMatch(body, /<script(?![^>]*\ssrc=)/, 'no inline script');
  t.notMatch(body, /(?:src|href)="(?:https?:)?\/\//, 'no other host');
});

t.test('modules are JavaScript and import what is served', async (t) => {
  const modules = [...page.keys()].filter((name) => name.endsWith('.js'));
  t.ok(modules.length >= 8);
  for (const name of modules) {
    const code = textOf(name);
    t.doesNotThrow(() => new Function(code.replace(/^import .*$/gm, '').replace(/^export /gm, '')), name);
    for (const [, imported] of code.matchAll(/\bfrom\s+'\.\/([^']+)'/g))
      t.ok(page.has(imported), `${name}: ${imported}`);
  }
  t.equal(
    toBrowserModule(
      "import { a } from './b-c.ts';\nimport type { D } from './d.ts';\nconst e: number = a as number;\n",
    ).replace(/ +/g, ' '),
    "import { a } from './b-c.js';\n \nconst e = a ;\n",
  );
});

t.test('the page is light', async (t) => {
  let bytes = 0;
  for (const [name, { gzipped }] of page) if (!name.startsWith('samples/')) bytes += gzipped?.length ?? Infinity;
  t.comment(`${bytes} bytes compressed`);
  t.ok(bytes <= MAX_COMPRESSED_BYTES, `${bytes} bytes compressed`);
  const samples = [...page].filter(([name]) => name.startsWith('samples/'));
  t.equal(samples.length, 4);
  for (const [name, { bytes }] of samples) t.ok(bytes.length <= MAX_SAMPLE_BYTES, `${name}: ${bytes.length} bytes`);
});

t.test('compressed where the browser takes it, and not sent twice', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  const zipped = await app.inject({ url: '/page/page.css', headers: { 'accept-encoding': 'br, gzip' } });
  t.equal(zipped.headers['content-encoding'], 'gzip');
  t.equal(zipped.headers['content-type'], 'text/css; charset=utf-8');
  const plain = await app.inject('/page/page.css');
  t.equal(plain.headers['content-encoding'], undefined);
  t.ok(zipped.rawPayload.length < plain.rawPayload.length / 2);
  const again = await app.inject({ url: '/page/page.css', headers: { 'if-none-match': String(plain.headers.etag) } });
  t.equal(again.statusCode, 304);
  t.equal(again.body, '');
});

t.test('no other file, and no other method', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  for (const path of [
    'index.ts',
    'main.ts',
    '../app.ts',
    '%2e%2e/app.ts',
    'tsconfig.json',
    'none.js',
    '__proto__',
    '',
  ]) {
    t.match((await app.inject(`/page/${path}`)).json(), { statusCode: 404, code: 'NOT_FOUND' }, path);
  }
  t.equal((await app.inject({ method: 'POST', url: '/' })).statusCode, 405);
});

t.test('OCR_PAGE=false turns it off, OCR_DOCS=false its link to the docs', async (t) => {
  const off = await buildFakeApp({ env: { OCR_PAGE: 'false' } });
  t.teardown(() => off.close());
  t.equal((await off.inject('/')).statusCode, 404);
  t.equal((await off.inject('/page/main.js')).statusCode, 404);
  const undocumented = await buildFakeApp({ env: { OCR_DOCS: 'false' } });
  t.teardown(() => undocumented.close());
  t.match((await undocumented.inject('/')).body, /<a id="docs" href="docs" hidden/);
  t.match(textOf('index.html'), /<a id="docs" href="docs"\s+data-t/);
});

t.test('every text that the page names is there in both languages', async (t) => {
  const texts = textOf('texts.js');
  const keys = (name: string): string[] =>
    [
      ...(new RegExp(`const ${name}\\b[^]*?\\{([^]*?)\\n\\}`).exec(texts)?.[1] ?? '').matchAll(/^ {2}'?([\w:]+)'?: /gm),
    ].map(([, key]) => key);
  const english = keys('EN');
  t.ok(english.length > 50);
  t.strictSame(keys('ZH'), english);
  for (const [, key] of textOf('index.html').matchAll(/data-t(?:-label)?="([^"]+)"/g)) t.ok(english.includes(key), key);
});

t.test('every element that the program asks for is in the page', async (t) => {
  const html = textOf('index.html');
  const sources = await Promise.all(
    (await readdir(new URL('../../src/web/', import.meta.url)))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFile(new URL(`../../src/web/${name}`, import.meta.url), 'utf8')),
  );
  const ids = sources.flatMap((source) =>
    [...source.matchAll(/\b(?:element|button|input|html)\('([\w-]+)'/g)].map(([, id]) => id),
  );
  t.ok(ids.length > 40);
  for (const id of new Set(ids)) t.match(html, `id="${id}"`);
});
