import t from 'tap';
import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import { MARKS } from '../../src/ocr/mark-judge.ts';
import { placeMarks } from '../../src/ocr/mark-places.ts';
import { readLine } from './read-line.ts';

type Odds = Readonly<Record<string, number>>;

/** A mark as it was read, with the middle of its ink in its cell. */
const mark = (character: string, x: number, y: number, odds: Odds): DecodedCharacter => ({
  character,
  probability: 0.7,
  step: 0,
  cell: { x, y, odds: MARKS.map((known) => odds[known] ?? 0.01) },
});
const comma = (): DecodedCharacter => mark('，', 19, 33, { '，': 0.99 });
const stop = (): DecodedCharacter => mark('。', 8, 34, { '。': 0.97 });
const page = [comma(), stop(), comma(), stop(), comma(), stop()];

const placed = (doubtful: DecodedCharacter, others: readonly DecodedCharacter[] = page): string | undefined =>
  placeMarks([readLine([doubtful]), readLine(others)])[0]?.reading.text;

t.test('a doubtful mark that stands where another kind does on this page is of that kind', async (t) => {
  t.equal(placed(mark('，', 9, 34, { '，': 0.6, '。': 0.25 })), '。');
  t.equal(placed(mark(',', 9, 34, { '，': 0.6, '。': 0.25 })), '。', 'in whatever form it was read');
  t.equal(placed(mark('。', 18, 33, { '，': 0.3, '。': 0.6 })), '，');
  t.equal(placed(mark('：', 8, 34, { '：': 0.5, '。': 0.2 })), '。', 'also of a kind that the page has no place for');
});

t.test('it stays where its own kind stands, where nothing else is likely, and where it is sure', async (t) => {
  t.equal(placed(mark('，', 18, 33, { '，': 0.6, '。': 0.25 })), '，');
  t.equal(placed(mark('，', 15, 33, { '，': 0.85, '。': 0.01 })), '，');
  t.equal(placed(mark('，', 9, 34, { '，': 0.95, '。': 0.04 })), '，');
  t.equal(placed(mark('：', 16, 24, { '：': 0.7, '。': 0.1 })), '：');
});

t.test('where the page does not tell the places of two kinds nothing is changed', async (t) => {
  const doubtful = mark('，', 9, 34, { '，': 0.6, '。': 0.25 });
  t.equal(placed(doubtful, [comma(), comma(), comma()]), '，');
  t.equal(placed(doubtful, [comma(), comma(), comma(), stop(), stop()]), '，');
  t.equal(
    placed(
      doubtful,
      page.map(({ character, probability, step }) => ({ character, probability, step })),
    ),
    '，',
    'no ink that is one mark',
  );
  t.equal(placed({ character: 'A', probability: 0.5, step: 0 }), 'A');
});
