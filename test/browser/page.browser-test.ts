/**
 * The page in a real Chromium against the real service: `npm run test:browser`. The browser is `chromium` in /usr/bin or
 * the one that CHROMIUM names.
 */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { startService } from '../running-service.ts';

const run = promisify(execFile);
const sample = (name: string): Promise<Buffer> =>
  readFile(new URL(`../../src/web/samples/${name}.png`, import.meta.url));

/** Where to put pictures of the page for people to look at; none are made where it is not set. */
const SHOTS = process.env.PAGE_SHOTS;

const DESKTOP = { viewport: { width: 1280, height: 860 }, locale: 'en-US' };
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// An origin for links: the service may fetch from it, the browser shows what it gives.
const origin = createServer(async (request, response) => {
  const forServersOnly = request.url === '/private.png' && !/Chrome/.test(request.headers['user-agent'] ?? '');
  if (request.url !== '/card.png' && !forServersOnly) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'image/png' }).end(await sample('card'));
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const originHost = `127.0.0.1:${(origin.address() as AddressInfo).port}`;

const settings = { OCR_ENGINE_PROCESSES: '1', OCR_SOURCE_ALLOW: originHost, LOG_LEVEL: 'info' };
const service = await startService(settings);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // No sandbox: tests run as root in containers. The rest keeps the browser from calling home.
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
t.teardown(async () => {
  await browser.close();
  await service.stop();
  origin.close();
});

/** A fresh page. Everything that the browser complains about is collected, refusals of the API (which it logs) apart. */
async function open(t: Test, options: BrowserContextOptions = DESKTOP, url = service.url) {
  const context = await browser.newContext(options);
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/the server responded with a status of 4/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  await page.goto(url);
  return { page, complaints };
}

const inState = (page: Page, state: string): Promise<unknown> => page.waitForSelector(`body[data-state=${state}]`);

async function readSample(page: Page, name: string): Promise<void> {
  await page.click(`[data-sample=${name}]`);
  await inState(page, 'done');
}

const upload = (page: Page, name: string, buffer: Buffer): Promise<void> =>
  page.setInputFiles('#file', { name, mimeType: '', buffer });

/** Waits until the line that is read first is this one. */
const firstLine = (page: Page, text: string): Promise<void> =>
  page.locator('.lines li:first-child .words', { hasText: text }).waitFor();

/** What axe finds that keeps people out. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate<axe.Result[]>('axe.run().then(({ violations }) => violations)');
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.html}`));
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

const words = (page: Page): Promise<string[]> => page.locator('.lines li:not([hidden]) .words').allTextContents();

t.test('a file: boxes on the picture, lines in reading order, and each lights the other', async (t) => {
  const { page, complaints } = await open(t);
  await upload(page, 'my card.png', await sample('card'));
  await inState(page, 'done');
  const lines = await words(page);
  t.equal(lines[0], '样本证件 SPECIMEN');
  t.equal(lines[4], 'OCR-2026-0815');
  t.equal(lines.length, 12);
  t.equal(await page.locator('.box').count(), 12);

  await page.locator('.lines button').nth(4).hover();
  t.match(await page.locator('.box').nth(4).getAttribute('class'), /\blit\b/, 'the box of the line');
  t.equal(await page.locator('.box.lit').count(), 1);
  await shoot(page, 'hover');
  await page.locator('.box').nth(11).hover();
  t.match(await page.locator('.lines button').nth(11).getAttribute('class'), /\blit\b/, 'the line of the box');
  t.equal(await page.locator('.lines .lit').count(), 1);
  const list = await page.locator('.lines').boundingBox();
  const line = await page.locator('.lines .lit').boundingBox();
  t.ok(list && line && line.y >= list.y - 1 && line.y + line.height <= list.y + list.height + 1, 'scrolled into view');
  await page.mouse.move(2, 2);
  t.equal(await page.locator('.lit').count(), 0);

  // The box lies where the line is: its place on the screen is the place in the picture.
  const image = await page.locator('#image').boundingBox();
  const box = await page.locator('.box').nth(0).boundingBox();
  if (!image || !box) throw new Error('the picture and its boxes must be visible');
  const scale = image.width / 760;
  t.ok(Math.abs((box.x - image.x) / scale - 48) < 8 && Math.abs((box.y - image.y) / scale - 48) < 8, 'in its place');
  t.strictSame(complaints, []);
});

t.test('the samples, all four', async (t) => {
  const { page, complaints } = await open(t);
  const first = { card: '样本证件 SPECIMEN', receipt: '文字书店', page: '让图片里的文字可以检索', sign: '火车站' };
  for (const [name, text] of Object.entries(first)) {
    await readSample(page, name);
    await firstLine(page, text);
    t.equal((await words(page))[0], text, name);
    await shoot(page, name);
  }
  t.strictSame(complaints, []);
});

t.test('filter, texts to take away, and the curl line', async (t) => {
  const { page } = await open(t);
  await readSample(page, 'page');
  const all = await words(page);
  await page.fill('#min', '95');
  const sure = await words(page);
  t.ok(sure.length > 0 && sure.length < all.length, `${sure.length} of ${all.length} lines`);
  t.equal(await page.locator('.box:not(.out)').count(), sure.length);
  t.match(await page.textContent('#summary'), `${sure.length} of ${all.length} lines`);
  const download = async (button: string): Promise<[name: string, text: string]> => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
    return [file.suggestedFilename(), await readFile(await file.path(), 'utf8')];
  };
  t.strictSame(await download('#save-text'), ['page.txt', `${sure.join('\n')}\n`]);
  const [name, json] = await download('#save-json');
  t.equal(name, 'page.json');
  const saved = JSON.parse(json) as { words: string; score: number }[];
  t.strictSame(
    saved.map((line) => line.words),
    sure,
  );
  t.strictSame(Object.keys(saved[0]), ['words', 'location', 'score']);
  const [hocrName, hocr] = await download('#save-hocr');
  t.equal(hocrName, 'page.hocr');
  t.equal(hocr.match(/class="ocr_line"/g)?.length, sure.length);
  const size = await page.evaluate('[image.naturalWidth, image.naturalHeight].join(" ")');
  t.match(hocr, `title="bbox 0 0 ${String(size)}; ppageno 0"`);
  await page.fill('#min', '100');
  t.ok(await page.isDisabled('#copy'));
  t.ok(await page.isVisible('#empty'));

  await page.click('summary');
  const command = (await page.textContent('#command')) ?? '';
  const { stdout } = await run('sh', ['-c', command]);
  t.strictSame(
    (JSON.parse(stdout) as { words: string }[]).map((line) => line.words),
    all,
    command,
  );
});

t.test('copying', async (t) => {
  const { page } = await open(t, { ...DESKTOP, permissions: ['clipboard-read', 'clipboard-write'] });
  await readSample(page, 'sign');
  await page.click('#copy');
  await page.waitForSelector('#toast.shown');
  const clipboard = (): Promise<string> => page.evaluate('navigator.clipboard.readText()');
  t.equal(await clipboard(), (await words(page)).map((line) => `${line}\n`).join(''));
  await page.locator('.lines button').first().click();
  await page.locator('#toast', { hasText: /^Copied: / }).waitFor();
  t.equal(await clipboard(), '火车站');
});

t.test('a link, which the server fetches and the browser shows', async (t) => {
  const { page, complaints } = await open(t);
  await page.fill('#link', `http://${originHost}/card.png`);
  await page.press('#link', 'Enter');
  await inState(page, 'done');
  t.equal((await words(page)).length, 12);
  t.equal(await page.evaluate('document.querySelector("#image").naturalWidth'), 760);
  await page.click('summary');
  const { stdout } = await run('sh', ['-c', (await page.textContent('#command')) ?? '']);
  t.equal((JSON.parse(stdout) as object[]).length, 12);
  t.strictSame(complaints, []);
});

t.test('a link that the browser cannot show: the text stands where it was read', async (t) => {
  const { page } = await open(t);
  await page.fill('#link', `http://${originHost}/private.png`);
  await page.press('#link', 'Enter');
  await inState(page, 'done');
  await page.locator('#no-preview').waitFor();
  const texts = page.locator('#boxes text');
  t.strictSame(await texts.allTextContents(), await words(page));
  const [first, box] = [await texts.nth(4).boundingBox(), await page.locator('.box').nth(4).boundingBox()];
  t.ok(first && box && Math.abs(first.x - box.x) < 10 && Math.abs(first.width - box.width) < 20, 'in its box');
  t.strictSame(await barriers(page), []);
  await shoot(page, 'no-preview');
});

t.test('paste and drop', async (t) => {
  const { page, complaints } = await open(t);
  // As an expression: the tests are compiled without the types of browsers.
  const give = (event: string, data: string, name: string): Promise<void> =>
    page.evaluate(`(async () => {
      const blob = await (await fetch('page/samples/${name}')).blob();
      const data = new DataTransfer();
      data.items.add(new File([blob], '${name}', { type: blob.type }));
      const init = { ${data}: data, bubbles: true, cancelable: true };
      document.body.dispatchEvent(${event});
    })()`);
  await give("new ClipboardEvent('paste', init)", 'clipboardData', 'sign.png');
  await inState(page, 'done');
  t.equal((await words(page))[0], '火车站');
  await give("new DragEvent('drop', init)", 'dataTransfer', 'receipt.png');
  await firstLine(page, '文字书店');
  t.strictSame(complaints, []);
});

t.test('errors say what to do, and the page does what it can', async (t) => {
  const { page, complaints } = await open(t);
  const card = await sample('card');
  await upload(page, 'card.webp', await sharp(card).webp({ lossless: true }).toBuffer());
  await inState(page, 'failed');
  t.equal(await page.textContent('#failure-title'), 'This kind of file is not read');
  t.match(await page.textContent('#failure-message'), /WebP/, 'the server’s words');
  t.match(await page.textContent('#failure-id'), /^UNSUPPORTED_FORMAT · ./);
  t.strictSame(await barriers(page), []);
  await shoot(page, 'error');
  await page.click('#repair');
  await inState(page, 'done');
  t.equal((await words(page))[0], '样本证件 SPECIMEN', 'converted in the browser');

  await upload(page, 'wide.png', await sharp(card).resize(5000, 3092).png().toBuffer());
  await inState(page, 'failed');
  t.match(await page.textContent('#failure-id'), /^IMAGE_TOO_LARGE/);
  t.equal(await page.textContent('#repair'), 'Shrink to 4096 px and read');
  await page.click('#repair');
  await inState(page, 'done');
  t.equal(await page.evaluate('document.querySelector("#image").naturalWidth'), 4096);

  await upload(page, 'notes.png', Buffer.from('no picture at all'));
  await inState(page, 'failed');
  await page.click('#repair');
  await page.waitForSelector('#repair', { state: 'hidden' });
  t.match(await page.textContent('#failure-help'), /another program/);

  await page.fill('#link', 'ftp://example.com/a.png');
  await page.press('#link', 'Enter');
  await page.locator('#failure-id', { hasText: /^INVALID_REQUEST/ }).waitFor();
  await page.click('#zh');
  t.equal(await page.textContent('#failure-title'), '服务器无法理解这个请求');
  t.strictSame(
    complaints.filter((text) => !text.includes('ftp:')),
    [],
  );
});

t.test('a picture of 4096 px', async (t) => {
  const { page, complaints } = await open(t);
  const large = await sharp({ create: { width: 4096, height: 4096, channels: 3, background: '#fff' } })
    .composite([
      { input: await sample('card'), left: 100, top: 100 },
      { input: await sample('page'), left: 3100, top: 2800 },
    ])
    .jpeg({ quality: 92 })
    .toBuffer();
  await upload(page, 'large.jpg', large);
  await inState(page, 'done');
  const lines = await words(page);
  t.ok(lines.length >= 12, `${lines.length} lines`);
  const pane = await page.locator('#pane').boundingBox();
  const stage = await page.locator('#stage').boundingBox();
  t.ok(pane && stage && stage.width <= pane.width && stage.height <= pane.height, 'all of it is shown');
  for (let i = 0; i < 4; i++) await page.click('#zoom-in');
  await page.locator('.lines button').last().focus();
  const lit = await page.locator('.box.lit').boundingBox();
  t.ok(
    pane && lit && lit.x >= pane.x && lit.y >= pane.y && lit.y + lit.height <= pane.y + pane.height,
    'enlarged, the line in focus is in view',
  );
  await shoot(page, 'large');
  t.strictSame(complaints, []);
});

t.test('the keyboard alone', async (t) => {
  const { page } = await open(t);
  const focused = (): Promise<string> =>
    page.evaluate(
      'document.activeElement.id || document.activeElement.dataset.sample || document.activeElement.className',
    );
  const stops: string[] = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press('Tab');
    stops.push(await focused());
  }
  t.strictSame(stops.slice(0, 5), ['docs', 'zh', 'en', 'choose', 'link'], 'in the order of the page');
  t.strictSame(stops.slice(6), ['card', 'receipt', 'page']);
  await page.keyboard.press('Enter');
  await inState(page, 'done');
  for (let i = 0; i < 20 && !(await focused()).startsWith('line'); i++) await page.keyboard.press('Tab');
  t.match(await focused(), /^line/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  t.match(await page.locator('.lines button').nth(2).getAttribute('class'), /\blit\b/);
  t.match(await page.locator('.box').nth(2).getAttribute('class'), /\blit\b/, 'the focus lights the box');
  await page.keyboard.press('End');
  t.equal(
    await page
      .locator('.lines button')
      .last()
      .evaluate((one) => one === one.ownerDocument.activeElement),
    true,
  );
  await page.keyboard.press('Tab');
  t.equal(await focused(), 'save-text', 'one stop for the whole list');
  t.match(await page.textContent('#status'), /lines read/, 'said to screen readers');
});

t.test('phone width: nothing is cut off', async (t) => {
  for (const locale of ['en-US', 'zh-CN']) {
    const { page, complaints } = await open(t, { ...PHONE, locale });
    const overflow = (): Promise<number> => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    t.ok((await overflow()) <= 0, `start, ${locale}`);
    await shoot(page, `phone-start-${locale}`);
    await readSample(page, 'receipt');
    t.ok((await overflow()) <= 0, `result, ${locale}`);
    await page.click('summary');
    t.ok((await overflow()) <= 0, `curl line, ${locale}`);
    await shoot(page, `phone-${locale}`);
    t.strictSame(await barriers(page), []);
    t.strictSame(complaints, []);
  }
});

t.test('axe finds nothing, light and dark, in both languages', async (t) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await open(t, { ...DESKTOP, colorScheme, reducedMotion: 'reduce' });
    t.strictSame(await barriers(page), [], `start, ${colorScheme}`);
    await shoot(page, `start-${colorScheme}`);
    await readSample(page, 'page');
    t.strictSame(await barriers(page), [], `result, ${colorScheme}`);
    await page.click('#zh');
    t.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    t.match(await page.textContent('#summary'), /行/);
    t.strictSame(await barriers(page), [], `result in Chinese, ${colorScheme}`);
    await shoot(page, `result-${colorScheme}`);
    await page.reload();
    t.equal(await page.textContent('#choose'), '选择图片', 'the choice is kept');
  }
});

t.test('a server with keys asks for one, once', async (t) => {
  const closed = await startService({ ...settings, OCR_API_KEYS: 'sesame' });
  t.teardown(() => closed.stop());
  const { page } = await open(t, DESKTOP, closed.url);
  await page.click('[data-sample=sign]');
  await inState(page, 'failed');
  t.equal(await page.textContent('#failure-title'), 'This server asks for a key');
  t.equal(await page.evaluate('document.activeElement.id'), 'key');
  t.strictSame(await barriers(page), []);
  await page.fill('#key', 'wrong');
  await Promise.all([page.waitForResponse((response) => response.status() === 401), page.press('#key', 'Enter')]);
  await inState(page, 'failed');
  await page.fill('#key', 'sesame');
  await page.press('#key', 'Enter');
  await inState(page, 'done');
  await page.reload();
  await readSample(page, 'sign');
  await page.click('summary');
  const command = (await page.textContent('#command')) ?? '';
  t.match(command, "-H 'x-api-key: YOUR_KEY'");
  t.notMatch(command, 'sesame', 'the key is not shown');
});

t.test('progress, cancelling, and a server that is gone', async (t) => {
  const { page } = await open(t);
  // Held back until the page was looked at.
  const release = Promise.withResolvers<undefined>();
  await page.route('**/general_ocr', async (route) => {
    await release.promise;
    await route.abort().catch(() => undefined);
  });
  await page.click('[data-sample=card]');
  await inState(page, 'working');
  await page.locator('#progress-text', { hasText: /Reading|Sending/ }).waitFor();
  t.ok(await page.isVisible('#bar'));
  await page.click('#cancel');
  await inState(page, 'start');
  release.resolve(undefined);
  await page.click('[data-sample=card]');
  await inState(page, 'failed');
  t.equal(await page.textContent('#failure-title'), 'The server does not answer');
  await page.unroute('**/general_ocr');
  await page.click('#retry');
  await inState(page, 'done');
  t.equal((await words(page)).length, 12);
});
