import t from 'tap';
import { decodeCtc } from '../../src/ocr/ctc.ts';
import { addFaintSymbols } from '../../src/ocr/faint-symbols.ts';

const CHARSET = ['', 'a', '©', '●', '，', '天', ' '];

/** Probabilities of each time step by character, the rest is the blank's. */
function read(...steps: Record<string, number>[]): string {
  const data = new Float32Array(steps.length * CHARSET.length);
  steps.forEach((step, i) => {
    data[i * CHARSET.length] = 1;
    for (const [character, p] of Object.entries(step)) {
      data[i * CHARSET.length + CHARSET.indexOf(character)] = p;
      data[i * CHARSET.length] -= p;
    }
  });
  const output = { data, dims: [1, steps.length, CHARSET.length] };
  return addFaintSymbols(decodeCtc(output, CHARSET), output, CHARSET)
    .map(({ character }) => character)
    .join('');
}

t.test('a symbol that narrowly lost to the blank in a gap is there', (t) => {
  t.equal(read({ a: 0.9 }, {}, { '©': 0.38, '●': 0.1 }, {}, { a: 0.9 }), 'a©a');
  t.equal(read({ '●': 0.4 }, {}, { 天: 0.9 }), '●天');
  t.equal(read({ a: 0.9 }, {}, { '©': 0.3, ' ': 0.5 }, {}, { a: 0.9 }), 'a©a', 'also to a space');
  t.end();
});

t.test('what has less, is no symbol, or belongs to a neighbour is not', (t) => {
  t.equal(read({ a: 0.9 }, {}, { '©': 0.28 }, {}, { a: 0.9 }), 'aa');
  t.equal(read({ a: 0.9 }, {}, { 天: 0.4 }, {}, { a: 0.9 }), 'aa');
  t.equal(read({ a: 0.9 }, {}, { '，': 0.4 }, {}, { a: 0.9 }), 'aa');
  t.equal(read({ '©': 0.9 }, { '©': 0.35 }, {}, { a: 0.9 }), '©a');
  t.equal(read({ a: 0.9 }, {}, { '©': 0.35 }, { '©': 0.4 }, {}, { a: 0.9 }), 'a©a', 'once for two steps');
  t.equal(read(), '');
  t.end();
});
