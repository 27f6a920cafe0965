import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import t from 'tap';
import { decodeFile } from '../../src/ocr/decode-file.ts';
import { boundingBox } from '../../src/ocr/geometry.ts';
import type { Page, ReadOptions } from '../../src/ocr/page.ts';
import { loadModels, readPage } from '../../src/ocr/read-page.ts';
import { makePdf, PAGE, textAt, type PdfContents, type PdfPicture } from './make-pdf.ts';

const models = await loadModels({
  modelsDir: fileURLToPath(new URL('../../models', import.meta.url)),
  modelPack: 'pp-ocrv6-small-int8',
});

const read = (file: Uint8Array, options: Partial<ReadOptions> = {}): Promise<Page> =>
  readPage(file, { maxSide: 4096, page: 1, ...options }, models);
const readContents = (contents: PdfContents, options: Partial<ReadOptions> = {}): Promise<Page> =>
  read(makePdf(contents), options);
const textsOf = ({ lines }: Page): string[] => lines.map(({ text }) => text);
const withoutSpace = (texts: readonly string[]): string[] => texts.map((text) => text.replaceAll(/\s/g, ''));

/** Every letter and every digit. */
const LINES = [
  'The quick brown fox jumps over the lazy dog',
  'Pack my box with five dozen liquor jugs',
  'Sphinx of black quartz, judge my vow',
  'Order 4071 of 26 May: 83 pieces, 95 pounds',
];
const typeset = (before = '', font = 0): string =>
  LINES.map((line, i) => textAt(line, 72, 100 + 30 * i, { before, font })).join('');
const rule = (y: number): string => `0.5 w 72 ${PAGE.height - y} m 500 ${PAGE.height - y} l S\n`;
/** A picture over this part of the page, in points from its top left corner. */
const pictureAt = (name: string, x: number, y: number, width: number, height: number): string =>
  `q ${width} 0 0 ${height} ${x} ${PAGE.height - y - height} cm /${name} Do Q\n`;

/** The page of a PDF as a picture for another. */
async function drawn(contents: PdfContents): Promise<PdfPicture> {
  const { image } = await decodeFile(makePdf(contents), { maxSide: 4096, page: 1 });
  const { data, width, height } = image;
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
  return { jpeg, width, height };
}

const shifted = (characters: string): Map<string, string> =>
  new Map([...characters].map((one, i) => [one, characters[(i + 1) % characters.length] ?? one]));
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

t.test('a page that is what its text layer says is taken from it, exactly and without detection', async (t) => {
  const contents = { content: typeset() + rule(220) };
  const page = await readContents(contents);
  t.equal(page.textFrom, 'layer');
  t.strictSame(textsOf(page), LINES);
  t.ok(page.lines.every(({ confidence }) => confidence === 1));
  t.equal(page.cost.detectorMegapixels, 0);
  t.equal(page.lines[0]?.characters, undefined);

  const picture = await readContents(contents, { textLayer: 'off' });
  t.equal(picture.textFrom, 'picture');
  t.strictSame([picture.width, picture.height], [page.width, page.height]);
  t.ok(picture.cost.recognizerWidth > page.cost.recognizerWidth, 'a sample is less than all of it');
  page.lines.forEach(({ text, quad }, i) => {
    const expected = boundingBox(picture.lines[i]?.quad ?? []);
    const box = boundingBox(quad);
    for (const side of ['left', 'top', 'right', 'bottom'] as const) {
      t.ok(Math.abs(box[side] - expected[side]) <= 4, `${text}, ${side}: ${box[side]}, read ${expected[side]}`);
    }
  });
});

for (const [name, lines] of [
  [
    'en',
    [
      'Office fittings, efficient invoice',
      'The quick brown fox jumps over the lazy dog. Total amount: 1,234.56 USD, due on 30 November.',
      'See the general terms and the conditions of delivery.',
      'Questions? Write to billing@example.com',
    ],
  ],
  [
    'zh',
    [
      '办公用品采购通知',
      '请各部门于本月三十日前提交采购清单,数量和金额以合同为准。',
      '联系电话:010-62758888,编号 A2026-1123。',
      '合计金额:¥1,299.00',
    ],
  ],
] as const) {
  t.test(`a page that a browser typeset is taken as it was written: ${name}`, async (t) => {
    const page = await read(await readFile(new URL(`text-layers/${name}.pdf`, import.meta.url)));
    t.equal(page.textFrom, 'layer');
    t.strictSame(textsOf(page), lines);
  });
}

t.test('characters and spaces have their places', async (t) => {
  const page = await readContents({ content: typeset() }, { characters: true });
  t.equal(page.textFrom, 'layer');
  for (const { text, characters = [], quad } of page.lines) {
    t.equal(characters.map((one) => one.text).join(''), text);
    const line = boundingBox(quad);
    let end = line.left;
    for (const one of characters) {
      const box = boundingBox(one.quad);
      t.ok(box.left >= end - 3 && box.right > box.left, `${text}: ${one.text} follows what is before it`);
      t.strictSame([box.top, box.bottom], [line.top, line.bottom]);
      end = box.right;
    }
  }
});

t.test('a region takes what has its middle inside', async (t) => {
  const whole = await readContents({ content: typeset() });
  const second = boundingBox(whole.lines[1]?.quad ?? []);
  const region = { left: 0, top: Math.floor(second.top) - 8, width: whole.width, height: 60 };
  const page = await readContents({ content: typeset() }, { region });
  t.equal(page.textFrom, 'layer');
  t.strictSame(textsOf(page), [LINES[1]]);
  t.match(boundingBox(page.lines[0]?.quad ?? []), second, 'in coordinates of the whole page');
});

t.test('turned pages and turned text', async (t) => {
  for (const [turns, degrees] of [90, 180, 270].entries()) {
    const page = await readContents({ content: typeset(), page: `/Rotate ${degrees}` });
    t.equal(page.textFrom, 'layer', `${degrees}`);
    t.strictSame(textsOf(page), LINES);
    const [a, b] = page.lines[0]?.quad ?? [];
    const angle = Math.atan2((b?.y ?? 0) - (a?.y ?? 0), (b?.x ?? 0) - (a?.x ?? 0));
    t.equal((Math.round((angle * 2) / Math.PI) + 4) % 4, turns + 1);
  }
});

t.test('a picture beside the text that shows none changes nothing', async (t) => {
  const [width, height] = [300, 200];
  const disc = Buffer.alloc(width * height * 3, 0x70);
  for (let i = 0; i < width * height; i++) {
    if (Math.hypot((i % width) - 150, Math.floor(i / width) - 100) < 80) disc.fill(0xe0, 3 * i, 3 * i + 2);
  }
  const jpeg = await sharp(disc, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  const page = await readContents({
    content: typeset() + pictureAt('I0', 72, 300, 150, 100),
    pictures: [{ jpeg, width, height }],
  });
  t.equal(page.textFrom, 'layer');
  t.ok(page.cost.detectorMegapixels > 0, 'the detector had to look');
  t.strictSame(textsOf(page), LINES);
});

t.test('characters for which nothing is drawn are none of it', async (t) => {
  const page = await readContents({
    content: typeset().replaceAll('zy', 'z\u00a0y'),
    fonts: [{ toUnicode: new Map([['\u00a0', '\u200b']]) }],
  });
  t.equal(page.textFrom, 'layer');
  t.strictSame(withoutSpace(textsOf(page)), withoutSpace(LINES));
});

t.test('characters off the page are none of it', async (t) => {
  const page = await readContents({ content: typeset() + textAt('Elsewhere', 72, 900) });
  t.equal(page.textFrom, 'layer');
  t.strictSame(textsOf(page), LINES);
});

const scan = await drawn({ content: typeset() });
const WRONG = LINES.map((line) => line.replaceAll('o', '0').replaceAll('i', '1'));
const layerOf = (lines: readonly string[], down = 0): string =>
  lines.map((line, i) => textAt(line, 72, 100 + down + 30 * i, { before: '3 Tr' })).join('');
const wholePage = pictureAt('I0', 0, 0, PAGE.width, PAGE.height);
const word = await drawn({ content: textAt('Received 12 March', 20, 40, { size: 40 }) });
/** The letters H, I, L, L as lines of a drawing, 30 points high. */
const DRAWN_LETTERS = [0, 1, 2, 3]
  .map((i) => `${100 + 30 * i}`)
  .map((x, i) => {
    const upright = `${x} 450 m ${x} 480 l S `;
    if (i === 0)
      return `${upright} ${Number(x) + 16} 450 m ${Number(x) + 16} 480 l S ${x} 465 m ${Number(x) + 16} 465 l S`;
    return i === 1 ? upright : `${upright} ${x} 450 m ${Number(x) + 15} 450 l S`;
  })
  .join('\n');

/** What is shown is `LINES`, and `more`; what the file says is something else. */
const UNTRUE: Readonly<Record<string, PdfContents & { readonly more?: readonly string[] }>> = {
  "a scanner's text under the picture, with its errors": {
    content: layerOf(WRONG) + wholePage,
    pictures: [scan],
  },
  'the same over the picture': { content: wholePage + layerOf(LINES), pictures: [scan] },
  'the same, displaced': { content: wholePage + layerOf(LINES, 12), pictures: [scan] },
  'drawn text under a picture': { content: typeset() + wholePage, pictures: [scan] },
  'a map that shifts the alphabet': { content: typeset(), fonts: [{ toUnicode: shifted(LETTERS) }] },
  'a map that shifts the digits': { content: typeset(), fonts: [{ toUnicode: shifted(DIGITS) }] },
  'a second font with a false map': {
    content: typeset() + textAt('Account holder Jane Smith', 72, 240, { font: 1 }),
    fonts: [{}, { toUnicode: shifted(LETTERS) }],
    more: ['Account holder Jane Smith'],
  },
  'a map to private use': { content: typeset(), fonts: [{ toUnicode: new Map([['q', '\ue000']]) }] },
  'white text': { content: typeset() + textAt('Ignore all that', 72, 260, { before: '1 g' }) },
  'almost white text': { content: typeset() + textAt('Ignore all that', 72, 260, { before: '0.99 g' }) },
  'invisible text': { content: typeset() + textAt('Ignore all that', 72, 260, { before: '3 Tr' }) },
  'text behind a bar': {
    content: `${typeset()}${textAt('Secret name', 72, 260)} 0 g 60 ${PAGE.height - 270} 120 30 re f`,
  },
  'text behind a white bar': {
    content: `${typeset()}${textAt('Secret name', 72, 260)} 1 g 60 ${PAGE.height - 270} 120 30 re f`,
  },
  'text that is clipped away': {
    content: `${typeset()} q 10 10 20 20 re W n ${textAt('Secret name', 72, 260)} Q`,
  },
  'text too small to be seen': { content: typeset() + textAt('Ignore all that', 72, 260, { size: 0.5 }) },
  'other text on the same place': {
    content: textAt('Sphinx of white marble, hear', 72, 160, { before: '1 g' }) + typeset(),
  },
  'more text in a picture': {
    content: typeset() + pictureAt('I0', 72, 300, 400, 500),
    pictures: [word],
    more: ['Received 12 March'],
  },
  'more text as lines of a drawing': { content: `${typeset()} 4 w ${DRAWN_LETTERS}`, more: ['HILL'] },
  'more characters than are looked at': {
    content: typeset() + textAt('x'.repeat(20_001), 72, 780, { size: 4 }),
    more: [],
  },
};

for (const [name, { more = [], ...contents }] of Object.entries(UNTRUE)) {
  t.test(`read in the picture: ${name}`, async (t) => {
    const page = await readContents(contents);
    t.equal(page.textFrom, 'picture');
    t.ok(page.cost.detectorMegapixels > 0);
    const shown = withoutSpace([...LINES, ...more]);
    t.strictSame(withoutSpace(textsOf(page)).slice(0, shown.length), shown);
    t.notMatch(textsOf(page).join('\n'), /Secret|Ignore|marble/, 'nothing that is not shown');
  });
}
