import { readFile } from 'node:fs/promises';
import t from 'tap';
import { characterSpans } from '../../src/ocr/character-quads.ts';
import { boundingBox } from '../../src/ocr/geometry.ts';
import { loadModels, readPage } from '../../src/ocr/read-page.ts';

/** A line image's column ink: 1 in the given spans, 0 elsewhere. */
function inkIn(width: number, ...spans: [from: number, to: number][]): Float32Array {
  const ink = new Float32Array(width);
  for (const [from, to] of spans) ink.fill(1, from, to);
  return ink;
}

const place = (text: string, ...middles: number[]) =>
  [...text].map((character, i) => ({ character, middle: middles[i] }));

t.test('pieces are cut where there is least ink, and shrunk to it', async (t) => {
  const spans = characterSpans(place('ab', 20, 60), { start: 10, end: 90 }, inkIn(100, [12, 28], [46, 84]));
  t.strictSame(spans, [
    { start: 12, end: 28 },
    { start: 46, end: 84 },
  ]);
});

t.test('of several empty places the one where the widths let expect it', async (t) => {
  // 川 has gaps of its own; its right neighbour begins at 50.
  const ink = inkIn(100, [4, 8], [18, 22], [34, 38], [50, 86]);
  const spans = characterSpans(place('川明', 21, 68), { start: 0, end: 90 }, ink);
  t.strictSame(spans, [
    { start: 4, end: 38 },
    { start: 50, end: 86 },
  ]);
});

t.test('characters that touch are cut between their middles, without overlap', async (t) => {
  const [a, b] = characterSpans(place('mn', 20, 60), { start: 0, end: 80 }, inkIn(80, [0, 80]));
  t.equal(a?.end, b?.start);
  t.ok(a !== undefined && a.end > 30 && a.end < 50, `${a?.end}`);
});

t.test('spaces share the gap between their neighbours', async (t) => {
  const spans = characterSpans(place('a  b', 10, 30, 40, 70), { start: 0, end: 80 }, inkIn(80, [4, 16], [60, 80]));
  t.strictSame(
    spans.map(({ start, end }) => [start, end]),
    [
      [4, 16],
      [16, 38],
      [38, 60],
      [60, 80],
    ],
  );
});

t.test('without ink the pieces are what the time steps say', async (t) => {
  const spans = characterSpans(place('三四', 20, 60), { start: 0, end: 80 }, new Float32Array(80));
  t.equal(spans[0]?.start, 0);
  t.ok(Math.abs((spans[0]?.end ?? 0) - 40) <= 1);
  t.equal(spans[1]?.end, 80);
});

t.test('middles outside the line, or out of order, give spans inside it, in order', async (t) => {
  const spans = characterSpans(place('abc', -5, 120, 30), { start: 10, end: 80 }, inkIn(100, [10, 80]));
  let last = 10;
  for (const { start, end } of spans) {
    t.ok(start >= last && end >= start && end <= 80, `${start} to ${end}`);
    last = end;
  }
});

interface ReferenceLine {
  readonly text: string;
  readonly size: number;
  /** Character, first column of its ink, column after the last. */
  readonly characters: readonly [string, number, number][];
}

/** Distances of all left and right edges from the ink, in text sizes, sorted; and how many lines were read exactly. */
async function measure(file: string) {
  const folder = new URL('characters/', import.meta.url);
  const lines = JSON.parse(await readFile(new URL('reference.json', folder), 'utf8')) as ReferenceLine[];
  const models = await loadModels({
    modelsDir: new URL('../../models', import.meta.url).pathname,
    modelPack: 'pp-ocrv6-small-int8',
  });
  const page = await readPage(await readFile(new URL(file, folder)), { maxSide: 4096, characters: true }, models);
  const errors: number[] = [];
  const overlaps: number[] = [];
  let exact = 0;
  for (const { text, size, characters } of lines) {
    const bare = text.replaceAll(' ', '');
    const found = page.lines.find((line) => line.text.replaceAll(' ', '') === bare);
    if (found === undefined) continue;
    exact += 1;
    const boxes = (found.characters ?? []).filter((one) => one.text !== ' ').map(({ quad }) => boundingBox(quad));
    characters.forEach(([, left, right], i) => {
      const box = boxes[i] ?? { left: 0, right: 0 };
      errors.push(Math.abs(box.left - left) / size, Math.abs(box.right - right) / size);
      const shared = Math.max(Math.min(box.right, right) - Math.max(box.left, left), 0);
      overlaps.push(shared / (Math.max(box.right, right) - Math.min(box.left, left)));
    });
  }
  errors.sort((a, b) => a - b);
  const at = (share: number): number => errors[Math.floor(share * (errors.length - 1))] ?? Infinity;
  return {
    exact,
    characters: overlaps.length,
    median: at(0.5),
    nineOfTen: at(0.9),
    matched: overlaps.filter((overlap) => overlap >= 0.5).length / overlaps.length,
  };
}

t.test('how exact the boxes are (docs/formats.md)', async (t) => {
  const clean = await measure('clean.png');
  t.comment(clean);
  t.ok(clean.exact >= 9, `${clean.exact} of 10 lines read exactly`);
  t.ok(clean.median <= 0.03 && clean.nineOfTen <= 0.06, `${clean.median} and ${clean.nineOfTen} text sizes`);
  t.ok(clean.matched >= 0.98, `${clean.matched} overlap by half and more`);
  const rough = await measure('rough.jpg');
  t.comment(rough);
  t.ok(rough.exact >= 8, `${rough.exact} of 10 lines read exactly`);
  t.ok(rough.median <= 0.04 && rough.nineOfTen <= 0.1, `${rough.median} and ${rough.nineOfTen} text sizes`);
  t.ok(rough.matched >= 0.95, `${rough.matched} overlap by half and more`);
});
