import t from 'tap';
import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import { resolveLookAlikes } from '../../src/ocr/look-alikes.ts';
import type { ModelOutput } from '../../src/ocr/session.ts';

const CHARSET = ['', 'e', 'é', 'è', 'ė', 'a', 'n'];

/** Characters four steps apart, all certain, over an output that says nothing else. */
function resolved(text: string): string {
  const characters = [...text].map((character, i): DecodedCharacter => ({ character, probability: 1, step: 4 * i }));
  const output: ModelOutput = {
    data: new Float32Array(4 * text.length * CHARSET.length),
    dims: [1, 4 * text.length, 7],
  };
  return resolveLookAlikes(characters, output, CHARSET)
    .map(({ character }) => character)
    .join('');
}

t.test('a circle beside a Chinese numeral is the zero', async (t) => {
  t.equal(resolved('二○一七年'), '二〇一七年');
  t.equal(resolved('二○○九'), '二〇〇九');
  t.equal(resolved('选○表示'), '选○表示');
});

t.test('Greek and Cyrillic twins of Latin letters', async (t) => {
  t.equal(resolved('IΡ67'), 'IP67', 'Greek rho among Latin letters and digits');
  t.equal(resolved('ΑΒΓΔ Ρ1'), 'ΑΒΓΔ Ρ1', 'Greek stays Greek');
  t.equal(resolved('Москва А1'), 'Москва А1', 'Cyrillic stays Cyrillic');
  t.equal(resolved('甲Α乙'), '甲Α乙', 'nothing Latin beside it');
});

t.test('two forms of one mark in adjacent steps are one mark', async (t) => {
  const decoded = (character: string, probability: number, step: number): DecodedCharacter => ({
    character,
    probability,
    step,
  });
  const output: ModelOutput = { data: new Float32Array(70), dims: [1, 10, 7] };
  const text = (characters: DecodedCharacter[]): string =>
    resolveLookAlikes(characters, output, CHARSET)
      .map(({ character }) => character)
      .join('');
  t.equal(text([decoded('8', 1, 0), decoded('.', 0.6, 2), decoded('．', 0.8, 3), decoded('2', 1, 5)]), '8．2');
  t.equal(text([decoded('.', 0.6, 2), decoded('.', 0.8, 4)]), '..', 'with a step between they are two');
  t.equal(text([decoded('1', 1, 2), decoded('１', 1, 3)]), '1１', 'digits are never merged');
});

t.test('an accent that nobody can agree on is none', async (t) => {
  const read = (probabilities: Record<string, number>): string => {
    const data = new Float32Array(7);
    for (const [character, p] of Object.entries(probabilities)) data[CHARSET.indexOf(character)] = p;
    const [character = '', probability = 0] = Object.entries(probabilities).sort((a, b) => b[1] - a[1])[0] ?? [];
    const output: ModelOutput = { data, dims: [1, 1, 7] };
    return resolveLookAlikes([{ character, probability, step: 0 }], output, CHARSET)[0]?.character ?? '';
  };
  t.equal(read({ é: 0.57, è: 0.32, ė: 0.1 }), 'e');
  t.equal(read({ é: 0.95, è: 0.03 }), 'é', 'a sure accent stays');
  t.equal(read({ é: 0.6, a: 0.3 }), 'é', 'the doubt is about the letter, not its accent');
});
