import t from 'tap';
import { missedLetters } from '../../src/ocr/text-agreement.ts';

const missed = (expected: string, read: string): string =>
  missedLetters([...expected], read)
    .missed.map((one, i) => (one === 1 ? expected[i] : '·'))
    .join('');

t.test('white space, marks, case and width make no difference', (t) => {
  t.strictSame(missedLetters([...'Ab 1,2。'], 'aB12.'), { missed: [0, 0, 0, 0, 0, 0, 0], extra: 0 });
  t.strictSame(missedLetters(['ﬁ', 'n', 'e'], 'fine'), { missed: [0, 0, 0], extra: 0 });
  t.strictSame(missedLetters([], ''), { missed: [], extra: 0 });
  t.end();
});

t.test('what was read otherwise, or not at all, is found where it stands', (t) => {
  t.equal(missed('kitten', 'sitting'), 'k···e·');
  t.equal(missed('数量12件', '数12件'), '·量···');
  t.equal(missed('abc', ''), 'abc');
  t.equal(missedLetters([...'abc'], 'xxabc').extra, 2);
  t.equal(missedLetters([...'kitten'], 'sitting').extra, 1);
  t.equal(missedLetters([], 'more').extra, 4);
  t.end();
});
