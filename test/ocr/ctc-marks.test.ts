import t from 'tap';
import { decodeCtc } from '../../src/ocr/ctc.ts';
import { refineMarks } from '../../src/ocr/ctc-marks.ts';
import type { ModelOutput } from '../../src/ocr/session.ts';

const CHARSET = ['', '天', '地', '玄', '黄', '，', '。', '：', '；', '◆', '.', 'a', 'b', ' '];

/** Probabilities by time step: `天` is 1; `，.6 。.3` are those, the rest blank; an empty text is all blank. */
function output(steps: readonly string[]): ModelOutput {
  const data = new Float32Array(steps.length * CHARSET.length);
  steps.forEach((step, row) => {
    let rest = 1;
    for (const part of step.split(' ').filter((text) => text !== '')) {
      const [character = '', ...digits] = [...part];
      const probability = digits.length === 0 ? 1 : Number(`0${digits.join('')}`);
      data[row * CHARSET.length + CHARSET.indexOf(character)] = probability;
      rest -= probability;
    }
    data[row * CHARSET.length] = Math.max(0, rest);
  });
  return { data, dims: [1, steps.length, CHARSET.length] };
}

function refined(steps: readonly string[]): string {
  const given = output(steps);
  return refineMarks(decodeCtc(given, CHARSET), given, CHARSET)
    .map(({ character }) => character)
    .join('');
}

/** Four ideographs, four steps apart, then what is to be tested. */
const FOUR = ['天', '', '', '', '地', '', '', '', '玄', '', '', '', '黄', ''];

t.test('a mark that lost to the blank where a cell is empty', async (t) => {
  t.equal(refined([...FOUR, '', '，.1 。.04', '', '', '', '天', '']), '天地玄黄，天', 'a gap of seven steps');
  t.equal(refined([...FOUR, '', '，.02', '', '', '', '天', '']), '天地玄黄天', 'too little evidence');
  t.equal(refined([...FOUR, '', '，.1', '天', '']), '天地玄黄天', 'no room for a mark');
  t.equal(refined([...FOUR, '', '，.9', '', '', '天', '']), '天地玄黄，天', 'a mark that was read is not doubled');
});

t.test('at the start and the end of a line', async (t) => {
  t.equal(refined(['', '', '', '◆.2', '', '', '', '', ...FOUR]), '◆天地玄黄');
  t.equal(refined(['', '', '', '◆.2', ...FOUR]), '天地玄黄', 'the margin alone is no gap');
  t.equal(refined([...FOUR, '。.1', '']), '天地玄黄。');
});

t.test('a mark that lost to a commoner one after an ideograph', async (t) => {
  t.equal(refined([...FOUR, '，.6 。.3', '', '', '', '天']), '天地玄黄。天');
  t.equal(refined([...FOUR, '，.8 。.1', '', '', '', '天']), '天地玄黄，天');
  t.equal(refined([...FOUR, '：.7 ；.25', '', '', '', '天']), '天地玄黄；天');
  t.equal(refined([...FOUR, '.', '', '', '', '天']), '天地玄黄.天', 'a sure full stop of Latin text stays');
});

t.test('lines without ideographs are left alone', async (t) => {
  t.equal(refined(['a', '', '', '', 'b', '', '', '', 'a', '', '', '', '', '', '，.4', '', '', '', 'b']), 'abab');
});

t.test('a dot that ends a sentence, whatever stands before it', async (t) => {
  t.equal(refined([...FOUR, 'a', '', '..9 。.05', '']), '天地玄黄a。');
  t.equal(refined([...FOUR, 'a', '', '..9 。.05', '', '天']), '天地玄黄a。天');
  t.equal(refined([...FOUR, 'a', '', '..9 。.01', '']), '天地玄黄a.', 'too little evidence');
  t.equal(refined([...FOUR, 'a', '', '..9 。.05', 'b']), '天地玄黄a.b', 'inside a word');
});
