import t from 'tap';
import { pairBrackets } from '../../src/ocr/bracket-pairs.ts';
import { decodeCtc } from '../../src/ocr/ctc.ts';
import type { ModelOutput } from '../../src/ocr/session.ts';

const CHARSET = ['', '天', '（', '）', '《', '》', '〔', '〕', '“', '”', '('];

/** Probabilities by time step: `天` is 1; `（.6 《.3` are those, the rest blank. */
function paired(steps: readonly string[]): string {
  const data = new Float32Array(steps.length * CHARSET.length);
  steps.forEach((step, row) => {
    for (const part of step.split(' ').filter((text) => text !== '')) {
      const [character = '', ...digits] = [...part];
      data[row * CHARSET.length + CHARSET.indexOf(character)] = digits.length === 0 ? 1 : Number(`0${digits.join('')}`);
    }
    if (step === '') data[row * CHARSET.length] = 1;
  });
  const output: ModelOutput = { data, dims: [1, steps.length, CHARSET.length] };
  return pairBrackets(decodeCtc(output, CHARSET), output, CHARSET)
    .map(({ character }) => character)
    .join('');
}

t.test('two kinds that face each other become the one that is likeliest for both', async (t) => {
  t.equal(paired(['（.9 《.03', '', '天', '', '》.95']), '《天》');
  t.equal(paired(['《.9', '', '天', '', '）.5 》.4']), '《天》');
  t.equal(paired(['（.9 《.01', '', '天', '', '》.95']), '（天》', 'nothing speaks for either');
});

t.test('what agrees, or has no partner, stays', async (t) => {
  t.equal(paired(['（.9 《.05', '', '天', '', '）.9 》.05']), '（天）');
  t.equal(paired(['(.9', '', '天', '', '）.9']), '(天）', 'half and full width are one kind');
  t.equal(paired(['（.9', '', '《.9', '', '天', '', '》.9', '', '）.9']), '（《天》）');
  t.equal(paired(['天', '', '）.9 》.05']), '天）');
});

t.test('a pair that was read as round ones may be of a rarer kind', async (t) => {
  t.equal(paired(['（.7 《.19', '', '天', '', '）.52 》.39']), '《天》');
  t.equal(paired(['《.82 （.16', '', '天', '', '）.82 》.017']), '《天》');
  t.equal(paired(['（.6 〔.09', '', '天', '', '）.6 〕.16']), '〔天〕');
  t.equal(paired(['（.97 《.02', '', '天', '', '）.97 》.02']), '（天）', 'with a runner-up that says little');
  t.equal(paired(['(.6 （.3', '', '天', '', '）.9']), '(天）', 'of round ones widths are left alone');
});

t.test('a bracket that lost to a commoner one', async (t) => {
  t.equal(paired(['（.8 《.15', '', '天']), '《天');
  t.equal(paired(['（.8 〔.15', '', '天', '', '）.7 〕.25']), '〔天〕');
  t.equal(paired(['（.8 《.06', '', '天']), '（天');
});

t.test('an opening mark is not read twice, a second opening quotation mark closes', async (t) => {
  t.equal(paired(['（.6 《.3', '《.7 （.1', '天', '', '》.9']), '《天》');
  t.equal(paired(['“.9', '', '天', '', '“.6 ”.3']), '“天”');
  t.equal(paired(['“.9', '', '天', '', '“.9']), '“天“', 'it cannot be a closing one');
});
