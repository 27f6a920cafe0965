import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import t from 'tap';
import { toDocument } from '../../src/formats/document.ts';
import { FORMAT_TRAITS, FORMATS, renderDocument, type Format } from '../../src/formats/render-document.ts';
import type { Page, Quad } from '../../src/ocr/page.ts';
import { makeDocument, makeLine, makePage } from './make-document.ts';

const CARD = [
  makeLine('样本证件 SPECIMEN', 20, 20, 40),
  makeLine('姓名', 20, 100),
  makeLine('Li <Ming> & "Co"', 200, 100),
];
const render = (lines: Page['lines'], format: Format, options = { words: false, characters: false }): string =>
  String(renderDocument(makeDocument(lines), format, options));

t.test('text', async (t) => {
  t.equal(render(CARD, 'text'), '样本证件 SPECIMEN\n\n姓名\tLi <Ming> & "Co"\n');
  t.equal(render([], 'text'), '');
  const two = toDocument([makePage(CARD.slice(0, 1)), makePage(CARD.slice(1, 2))], { minScore: 0 });
  t.equal(renderDocument(two, 'text', { words: false, characters: false }), '样本证件 SPECIMEN\n\f姓名\n');
});

t.test('Markdown', async (t) => {
  t.equal(render(CARD, 'markdown'), '# 样本证件 SPECIMEN\n\n姓名 Li \\<Ming\\> \\& "Co"\n');
  const full = '一二三四五六七八九十一二三四五六';
  t.equal(render([makeLine(full, 20, 20), makeLine('七八', 20, 50)], 'markdown'), `${full}七八\n`, 'running text');
  const list = render(
    [makeLine('1. a_b', 20, 20), makeLine('- c', 20, 50), makeLine('#tag and more', 20, 80)],
    'markdown',
  );
  t.equal(list, '1\\. a\\_b\\\n\\- c\\\n#tag and more\n', 'what looks like Markdown is text');
  t.equal(render([], 'markdown'), '');
});

t.test('TSV', async (t) => {
  const rows = render(CARD, 'tsv')
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
  t.ok(rows.every((row) => row.length === 12));
  t.equal(rows[0]?.join(' '), 'level page_num block_num par_num line_num word_num left top width height conf text');
  const words = rows.filter(([level]) => level === '5');
  t.strictSame(
    words.map((row) => row[11]),
    ['样本', '证件', 'SPECIMEN', '姓名', 'Li', '<Ming>', '&', '"Co"'],
  );
  t.strictSame(words[2], ['5', '1', '1', '1', '1', '3', '200', '20', '160', '40', '90.00', 'SPECIMEN']);
  t.strictSame(
    rows.filter(([level]) => level === '4').map((row) => row.slice(2, 6)),
    [
      ['1', '1', '1', '0'],
      ['1', '2', '1', '0'],
      ['1', '2', '2', '0'],
    ],
  );
});

t.test('hOCR and ALTO hold every word once, escaped, and characters on request', async (t) => {
  for (const format of ['hocr', 'alto'] as const) {
    const plain = render(CARD, format);
    for (const word of ['SPECIMEN', '&lt;Ming&gt;', '&quot;Co&quot;']) t.equal(plain.split(word).length, 2, word);
    t.notMatch(plain, /ocrx_cinfo|<Glyph/);
    const detailed = render(CARD, format, { words: false, characters: true });
    t.equal(detailed.match(/<span class="ocrx_cinfo"|<Glyph /g)?.length, 27);
    t.ok(render([makeLine('a\u0001b\ud800', 0, 0)], format).includes('a\ufffdb\ufffd'), 'no character XML forbids');
  }
});

/** The objects of a PDF file, by its own table. */
function objectsOf(pdf: Buffer): string[] {
  const text = pdf.toString('latin1');
  const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  const entries = text.slice(table).match(/^\d{10} 00000 n $/gm) ?? [];
  return entries.map((entry, i) => {
    const at = Number(entry.slice(0, 10));
    t.ok(text.startsWith(`${i + 1} 0 obj\n`, at), `object ${i + 1} is where the table says`);
    return text.slice(at, text.indexOf('\nendobj\n', at));
  });
}

const streamOf = (object: string): Buffer =>
  Buffer.from(/stream\n([\s\S]*)\nendstream$/.exec(object)?.[1] ?? '', 'latin1');

t.test('PDF: the picture, and the text in order through its own code table', async (t) => {
  const jpeg = await sharp({ create: { width: 800, height: 1000, channels: 3, background: '#fff' } })
    .jpeg()
    .toBuffer();
  const lines = [...CARD, makeLine('𠮷', 20, 300)];
  const document = makeDocument(lines, { picture: { jpeg, width: 800, height: 1000 } });
  const pdf = Buffer.from(renderDocument(document, 'pdf', { words: false, characters: false }));
  t.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  const objects = objectsOf(pdf);
  const picture = objects.find((object) => object.includes('/DCTDecode')) ?? '';
  t.ok(streamOf(picture).equals(jpeg), 'the jpg goes in as it is');
  const flate = objects
    .filter((object) => object.includes('/FlateDecode'))
    .map((one) => inflateSync(streamOf(one)).toString('latin1'));
  const codes = new Map(
    [...(flate.find((one) => one.includes('beginbfchar')) ?? '').matchAll(/^<(....)> <([0-9A-F]+)>$/gm)].map(
      ([, cid = '', utf16 = '']) => [cid, Buffer.from(utf16, 'hex').swap16().toString('utf16le')],
    ),
  );
  const content = flate.find((one) => one.includes(' Tj')) ?? '';
  const shown = [...content.matchAll(/<([0-9A-F]+)> Tj/g)].map(([, hex = '']) =>
    (hex.match(/..../g) ?? []).map((cid) => codes.get(cid)).join(''),
  );
  t.equal(shown.join(''), lines.map(({ text }) => text).join(''));
  t.notMatch(content, /\d[eE][+-]?\d/, 'no exponents');
  t.ok(content.includes('BT 3 Tr '), 'invisible');
  t.throws(() => render(CARD, 'pdf'), /without its picture/);
});

t.test('orientation and angle', async (t) => {
  const turned = (turns: number): Page['lines'] => {
    const [a, b, c, d] = makeLine('abcdefgh', 100, 100).quad;
    const corners = [a, b, c, d].map(
      ({ x, y }) =>
        [
          { x, y },
          { x: 500 - y, y: x },
          { x: 500 - x, y: 500 - y },
          { x: y, y: 500 - x },
        ][turns],
    );
    return [{ text: 'abcdefgh', confidence: 1, quad: corners as unknown as Quad }];
  };
  for (const [turns, orientation, angle] of [
    [0, 0, 0],
    [1, 90, 90],
    [2, 180, 180],
    [3, 270, -90],
  ] as const) {
    const page = makeDocument(turned(turns)).pages[0];
    t.equal(page?.lines[0]?.orientation, orientation);
    t.equal(page?.angle, angle);
  }
});

t.test('every format has a name, a media type and an extension of its own', async (t) => {
  t.equal(new Set(FORMATS.map((format) => FORMAT_TRAITS[format].mediaType)).size, FORMATS.length);
  t.equal(new Set(FORMATS.map((format) => FORMAT_TRAITS[format].extension)).size, FORMATS.length);
});
