import t from 'tap';
import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import { resolveLettersAndDigits } from '../../src/ocr/letters-and-digits.ts';
import type { ModelOutput } from '../../src/ocr/session.ts';

const CHARSET = ['', '0', 'O', 'o', 'I', 'l', '1', 'x'];

/** Reads `text`, every character of which has the given runners-up beside it in its time step. */
function resolved(text: string, doubts: Readonly<Record<string, number>>): string {
  const output: ModelOutput = {
    data: new Float32Array(text.length * CHARSET.length),
    dims: [1, text.length, CHARSET.length],
  };
  const characters = [...text].map((character, step): DecodedCharacter => {
    for (const [other, p] of Object.entries(doubts)) {
      if (other !== character) output.data[step * CHARSET.length + CHARSET.indexOf(other)] = p;
    }
    return { character, probability: 0.7, step };
  });
  return resolveLettersAndDigits(characters, output, CHARSET)
    .map(({ character }) => character)
    .join('');
}

t.test('a zero where only a letter makes sense', async (t) => {
  t.equal(resolved('0rder#21883', { O: 0.11 }), 'Order#21883');
  t.equal(resolved('T00L', { O: 0.3 }), 'TOOL');
  t.equal(resolved('-XP0ST', { O: 0.4 }), '-XPOST');
  t.equal(resolved('HELL0', { O: 0.3 }), 'HELLO');
  t.equal(resolved('0RDER', { O: 0.05 }), 'ORDER');
  t.equal(resolved('T00L', { O: 0.01 }), 'T00L', 'sure of the zero');
  t.equal(resolved('HELL0', { O: 0.1 }), 'HELL0', 'at the end of capitals it takes more');
});

t.test('a zero that is one stays, however alike', async (t) => {
  for (const text of ['B0X-20', 'A10', 'X0Y3', '5.0ml', '0cm', '0W', 'C0', 'eth0', '0x1f', '2024', '10OK', '0']) {
    t.equal(resolved(text, { O: 0.1, o: 0.01 }), text);
  }
});

t.test('hexadecimal numbers begin with a zero', async (t) => {
  t.equal(resolved('Ox1f3a', { 0: 0.02 }), '0x1f3a');
  t.equal(resolved('Oxford', { 0: 0.02 }), 'Oxford');
  t.equal(resolved('Ox1f3a', { 0: 0.001 }), 'Ox1f3a', 'sure of the letter');
});

t.test('case and shape by the neighbours', async (t) => {
  t.equal(resolved('XPoST', { O: 0.3 }), 'XPOST');
  t.equal(resolved('XPoST', { O: 0.1 }), 'XPoST');
  t.equal(resolved('sqI', { l: 0.3 }), 'sql');
  t.equal(resolved('labeI', { l: 0.3 }), 'label');
  t.equal(resolved('WiFI', { l: 0.05 }), 'WiFI');
  t.equal(resolved('TextIn', { l: 0.3 }), 'TextIn', 'a capital inside a name');
});

t.test('a one where only an l makes sense', async (t) => {
  t.equal(resolved('500m1', { l: 0.01 }), '500ml');
  t.equal(resolved('11m1', { l: 0.01 }), '11ml', 'and the ones of the number stay');
  t.equal(resolved('500m1', { l: 0.0001 }), '500m1', 'sure of the digit');
  t.equal(resolved('m1', { l: 0.3 }), 'm1', 'no quantity');
});

t.test('a one in a code, at the end of a word or before a unit stays', async (t) => {
  for (const text of ['a1b', 'sha1', 'room11', '1year', 'log1p', 'm1', '0x1f']) {
    t.equal(resolved(text, { l: 0.3 }), text);
  }
});
