import t from 'tap';
import type { ReadLine } from '../../src/ocr/line-reading.ts';
import { removeSpecks } from '../../src/ocr/specks.ts';
import { readLine } from './read-line.ts';

/** A line whose dots and colons have the given ink, in their order. */
function line(text: string, dots: readonly (readonly number[])[], em = 20): ReadLine {
  const left = [...dots];
  const characters = [...text].map((character, step) => {
    const own = '.·:'.includes(character) ? left.shift() : undefined;
    return { character, probability: 1, step: 2 * step, ...(own && { dots: own }) };
  });
  return readLine(characters, em);
}

const first = (...lines: ReadLine[]): string | undefined => removeSpecks(lines)[0]?.reading.text;
const page = line('a.m. p.m. 1.5', [[20], [22], [19], [21], [20]]);

t.test('a dot with less than half the ink of the other dots is a speck', async (t) => {
  t.equal(first(line('20 .15', [[8]]), page), '20 15');
  t.equal(first(line('20 ·15', [[8]]), page), '20 15');
  t.equal(first(line('20 .15', [[12]]), page), '20 .15', 'not so much smaller');
  t.equal(first(line('20.15', [[8]]), page), '20 15', 'where it stood for the gap between two words');
  t.equal(first(line('在.家', [[8]]), page), '在家');
});

t.test('where nothing can be known, nothing is changed', async (t) => {
  t.equal(first(line('20 .15', [[8]]), line('1.5 2.5', [[20], [20]])), '20 .15', 'too few other dots');
  t.equal(first(line('20 .15', [[8]]), line('a.m. p.m.', [[20], [9], [21], [7]])), '20 .15', 'dots of all sizes');
  t.equal(first(line('20 .15', [[8]], 15), page), '20 .15', 'text too small');
  t.equal(first(line('20 .15', [[]]), page), '20 .15', 'a dot that touches a letter has no ink of its own');
});

t.test('two dots with the ink of one are one', async (t) => {
  t.equal(first(line('8..25', [[], [30]])), '8.25');
  t.equal(first(line('p.m..', [[20], [20], [20]])), 'p.m..');
});

t.test('a colon whose upper dot is much smaller is a dot under a speck', async (t) => {
  t.equal(first(line('2:11', [[30, 12]])), '2.11');
  t.equal(first(line('2:11', [[30, 15]])), '2:11');
  t.equal(first(line('2:11', [[12, 30]])), '2:11');
  t.equal(first(line('2:11', [[30]])), '2:11');
});

t.test('what is left has its confidence; lines without specks stay the same', async (t) => {
  const [changed, same] = removeSpecks([line('20 .15', [[8]]), page]);
  t.equal(changed?.reading.characters.length, 5);
  t.equal(changed?.reading.confidence, 1);
  t.equal(same, page);
});
