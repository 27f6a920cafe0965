import t from 'tap';
import { type Box, quadSize } from '../../src/ocr/geometry.ts';
import type { LineCandidate } from '../../src/ocr/line-candidates.ts';
import { readLines } from '../../src/ocr/line-reading.ts';
import type { QuarterTurns } from '../../src/ocr/page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import type { Session } from '../../src/ocr/session.ts';
import { drawText, FAKE_CHARSET, fakeRecognizer, paper } from './fake-session.ts';
import { toQuad } from './opencv/reference.ts';

function candidateOf({ left, top, right, bottom }: Box, ambiguous = false): LineCandidate {
  const tight = toQuad([left, top, right, top, right, bottom, left, bottom]);
  const { width, height } = quadSize(tight);
  const tall = height > 1.5 * width;
  return {
    region: { kernel: tight, loose: tight, tight, strokes: [0, 0], hasInk: true, score: 0.9 },
    tight,
    tall,
    ambiguous,
    split: false,
    em: tall && !ambiguous ? width : height,
  };
}

/** A page with these texts, each 20 px high and 50 px from the next, all turned the same way. */
function page(texts: readonly string[], turns: QuarterTurns = 0): { image: RgbImage; candidates: LineCandidate[] } {
  const image = paper(600, 600);
  const candidates = texts.map((text, i) =>
    candidateOf(
      drawText(
        image,
        text,
        turns % 2 === 0 ? { left: 40, top: 30 + 50 * i, em: 20, turns } : { left: 30 + 50 * i, top: 40, em: 20, turns },
      ),
    ),
  );
  return { image, candidates };
}

async function read({ image, candidates }: ReturnType<typeof page>, session: Session = fakeRecognizer()) {
  const { lines, recognizerWidth } = await readLines(image, candidates, session, FAKE_CHARSET);
  return { texts: lines.map(({ reading }) => reading.text), turns: lines.map((line) => line.turns), recognizerWidth };
}

const LONG = ['ABBABAAB', 'BBABABA', 'AABBAB', 'BABBA'];

t.test('text that reads well is read once, the longest first', async (t) => {
  const session = fakeRecognizer();
  const result = await read(page(LONG.toReversed()), session);
  t.strictSame(result.texts, LONG);
  t.strictSame(result.turns, [0, 0, 0, 0]);
  t.equal(session.runs.length, 4);
  t.equal(
    result.recognizerWidth,
    session.runs.reduce((sum, dims) => sum + (dims[3] as number), 0),
  );
  // 8 glyphs of 20 px are 7 x 18 + 12 px long; with 0.3 heights on every side the crop is 32 px high.
  t.equal(session.runs[0]?.[3], Math.ceil(((7 * 18 + 12 + 12) * 48) / 32));
});

t.test('upside-down text is found by reading again, and the first line speaks for the page', async (t) => {
  const session = fakeRecognizer();
  const result = await read(page(LONG, 2), session);
  t.strictSame(result.texts, LONG);
  t.strictSame(result.turns, [2, 2, 2, 2]);
  t.equal(session.runs.length, 5, 'only the first line is read twice');
});

t.test('vertical text in both directions', async (t) => {
  const downwards = fakeRecognizer();
  const down = await read(page(LONG, 1), downwards);
  t.strictSame([down.texts, down.turns, downwards.runs.length], [LONG, [1, 1, 1, 1], 4]);
  const upwards = fakeRecognizer();
  const up = await read(page(LONG, 3), upwards);
  t.strictSame([up.texts, up.turns, upwards.runs.length], [LONG, [3, 3, 3, 3], 5]);
});

t.test('wide and tall lines vote apart', async (t) => {
  const image = paper(600, 600);
  const inks = [
    drawText(image, 'ABBABAABB', { left: 40, top: 30, em: 20, turns: 2 }),
    drawText(image, 'BBABABAB', { left: 40, top: 80, em: 20, turns: 1 }),
    drawText(image, 'AABBABA', { left: 300, top: 80, em: 20, turns: 2 }),
  ];
  const session = fakeRecognizer();
  const result = await read({ image, candidates: inks.map((ink) => candidateOf(ink)) }, session);
  t.strictSame(result.turns, [2, 1, 2]);
  t.equal(session.runs.length, 4, 'the upside-down line does not turn the vertical one');
});

t.test('short lines are read twice until three lines have voted', async (t) => {
  const short = ['AB', 'BA', 'BB', 'AB', 'AA'];
  const undecided = fakeRecognizer();
  t.strictSame((await read(page([...LONG.slice(0, 2), ...short]), undecided)).texts, [...LONG.slice(0, 2), ...short]);
  t.equal(undecided.runs.length, 2 + 2 * 5);
  const decided = fakeRecognizer();
  t.strictSame((await read(page([...LONG.slice(0, 3), ...short]), decided)).texts, [...LONG.slice(0, 3), ...short]);
  t.equal(decided.runs.length, 3 + 5);
});

t.test('on a page of up to three lines near certainty is enough', async (t) => {
  const count = async (upright: number, ...texts: string[]): Promise<number> => {
    const session = fakeRecognizer({ upright, other: 0.3 });
    await read(page(texts), session);
    return session.runs.length;
  };
  t.equal(await count(0.97, 'AB', 'BA', 'BB'), 3);
  t.equal(await count(0.94, 'AB', 'BA', 'BB'), 6);
  t.equal(await count(0.97, 'AB', 'BA', 'BB', 'AA'), 8, 'not on a page of four');
});

t.test('the other direction has to be clearly better', async (t) => {
  const turnsFor = async (upright: number, other: number): Promise<QuarterTurns[]> =>
    (await read(page(['ABBABA'], 2), fakeRecognizer({ upright, other }))).turns;
  t.strictSame(await turnsFor(0.5, 0.41), [2], '0.09 better');
  t.strictSame(await turnsFor(0.5, 0.43), [0], '0.07 better');
});

/** Turns of a text that stands on its head, behind so many lines that are upright. */
async function turnsBehind(
  votes: number,
  text: string,
  confidences: { upright: number; other: number },
): Promise<QuarterTurns | undefined> {
  const image = paper(600, 600);
  const inks = LONG.slice(0, votes).map((line, i) => drawText(image, line, { left: 40, top: 30 + 50 * i, em: 20 }));
  inks.push(drawText(image, text, { left: 40, top: 300, em: 20, turns: 2 }));
  const sure = fakeRecognizer();
  const unsure = fakeRecognizer(confidences);
  const session: Session = {
    run: (input, dims) => (sure.runs.length < votes ? sure : unsure).run(input, dims),
  };
  return (await read({ image, candidates: inks.map((ink) => candidateOf(ink)) }, session)).turns.at(-1);
}

t.test('against a page that has shown its direction, by more', async (t) => {
  const turnsFor = (upright: number, votes: number) => turnsBehind(votes, 'BABB', { upright, other: 0.4 });
  t.equal(await turnsFor(0.55, 2), 2, '0.15 better, two votes');
  t.equal(await turnsFor(0.55, 3), 0, '0.15 better, three votes');
  t.equal(await turnsFor(0.65, 3), 2, '0.25 better, three votes');
});

t.test('a character or two are turned against the page only where they are hardly text as they stand', async (t) => {
  t.equal(await turnsBehind(3, 'BA', { upright: 0.95, other: 0.55 }), 0);
  t.equal(await turnsBehind(3, 'BA', { upright: 0.95, other: 0.45 }), 2);
  t.equal(await turnsBehind(2, 'BA', { upright: 0.95, other: 0.55 }), 2, 'the page has not shown its direction');
});

t.test('a short tall box may hold an upright glyph', async (t) => {
  const image = paper(200, 200);
  const ink = drawText(image, 'B', { left: 80, top: 80, em: 40 });
  const session = fakeRecognizer();
  const result = await read({ image, candidates: [candidateOf(ink, true)] }, session);
  t.strictSame([result.texts, result.turns], [['B'], [0]]);
  t.equal(session.runs.length, 3, 'downwards, upwards, upright');
  const vertical = paper(200, 200);
  const sideways = drawText(vertical, 'B', { left: 80, top: 80, em: 40, turns: 1 });
  const wide = await read({ image: vertical, candidates: [{ ...candidateOf(sideways, true), tall: true, em: 24 }] });
  t.strictSame([wide.texts, wide.turns], [['B'], [1]], 'unless that reads worse');
});

t.test('a page without candidates', async (t) => {
  t.strictSame(await read({ image: paper(10, 10), candidates: [] }), { texts: [], turns: [], recognizerWidth: 0 });
});
