import { probabilityOf } from './class-probability.ts';
import type { DecodedCharacter } from './ctc.ts';
import type { ModelOutput } from './session.ts';

/**
 * O and 0, I and l are one shape in many fonts, and the recognizer leans towards the digit and the capital. Where it
 * hesitates, the word decides: `T00L`, `0pen`, `sqI`. A word with any other digit (a code, a number, `0x1f`) is left alone.
 *
 * The thresholds are from 1,200 rendered lines of words, product codes and identifiers in ten fonts of 10 to 28 px (a
 * third blurred, bilevel or JPEG 35): of 131 letters read as a zero most show the letter with 0.02 or more, and codes
 * like `X0Y-3` and identifiers like `Room0` stay as they are. Probabilities are those of the time step, so that what the
 * recognizer is sure of is never changed.
 */
export function resolveLettersAndDigits(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): readonly DecodedCharacter[] {
  if (!characters.some(({ character }) => AMBIGUOUS.includes(character))) return characters;
  const resolved = [...characters];
  for (const [start, end] of words(characters)) {
    const word = characters.slice(start, end);
    const replacement = readWord(word, characters, start, end, (decoded, letter) =>
      probabilityOf(letter, decoded.step, output, charset),
    );
    for (const [i, change] of replacement) resolved[start + i] = change;
  }
  return resolved;
}

const AMBIGUOUS = '01oOI';
const WORD_CHARACTER = /^[A-Za-z0-9]$/;

/** Probability of the letter O, either case, from which a zero in a place where only a letter makes sense is one. */
const LETTER_INSIDE = 0.04;
/** The same before lower-case letters: `0rder`; with only two of them (`0cm`, `0ml`) it may be a quantity. */
const CAPITAL_BEFORE_WORD = 0.02;
const CAPITAL_BEFORE_SHORT_WORD = 0.15;
/** The same at the end of capitals: `HELL0`, but `ETH0`. */
const LETTER_AT_END = 0.15;
/** Probability of the zero from which `Ox1f` is a number. */
const HEX_ZERO = 0.005;
/** Probability of the capital from which an `o` between capitals is one. */
const CAPITAL_INSIDE = 0.2;
/** Probability of `l` from which an `I` at the end of lower-case letters is one; inside a word it may be a name's: `TextIn`. */
const SMALL_L = 0.08;

/**
 * Probability of `l` from which the `1` of a quantity is one: `500m1`. Of 19 on 460 rendered pages in 46 fonts the lowest has 0.0017. Inside
 * words (`hel1o`, `log1p`) and at their end (`tota1`, `sha1`) a one and an `l` of fonts that draw them alike cannot be told apart.
 */
const MILLILITRE_L = 0.001;
type Evidence = (decoded: DecodedCharacter, letter: string) => number;

/** Index in the word and what stands there instead. */
type Change = readonly [index: number, decoded: DecodedCharacter];

function readWord(
  word: readonly DecodedCharacter[],
  line: readonly DecodedCharacter[],
  start: number,
  end: number,
  evidence: Evidence,
): Change[] {
  const text = word.map(({ character }) => character).join('');
  const to = (character: string, i: number): Change => [
    i,
    { ...word[i], character, probability: Math.max(evidence(word[i], character), evidence(word[i], text[i] ?? '')) },
  ];
  if (/^O[xX](?=[0-9a-fA-F]*\d)[0-9a-fA-F]{2,}$/.test(text))
    return evidence(word[0], '0') >= HEX_ZERO ? [to('0', 0)] : [];

  const changes: Change[] = [];
  const zeros = [...text].flatMap((c, i) => (c === '0' ? [i] : []));
  const oh = (i: number): number => evidence(word[i], 'O') + evidence(word[i], 'o');
  if (zeros.length > 0 && !isNumbered(text, line, start, end)) {
    const needed = neededForLetter(text);
    if (needed !== undefined && Math.max(...zeros.map(oh)) >= needed) changes.push(...zeros.map((i) => to('O', i)));
  }
  const millilitre = /^\d+m1$/.test(text) && evidence(word[text.length - 1], 'l') >= MILLILITRE_L;
  if (millilitre) changes.push(to('l', text.length - 1));
  for (let i = 1; i < text.length; i++) {
    const before = text[i - 1] ?? '';
    const after = text[i + 1] ?? '';
    const between = /[A-Z]/.test(before) && /[A-Z]/.test(after);
    if (text[i] === 'o' && between && evidence(word[i], 'O') >= CAPITAL_INSIDE) changes.push(to('O', i));
    const last = /[a-z]/.test(before) && after === '';
    if (text[i] === 'I' && last && evidence(word[i], 'l') >= SMALL_L) changes.push(to('l', i));
  }
  return changes;
}

/** How probable the letter must be for the zeros of this word to be letters; nothing: they are digits. */
function neededForLetter(text: string): number | undefined {
  const lower = /^0([a-z]+)$/.exec(text)?.[1];
  if (lower !== undefined && lower.length >= 2)
    return lower.length === 2 ? CAPITAL_BEFORE_SHORT_WORD : CAPITAL_BEFORE_WORD;
  if (!/^[A-Z0]+$/.test(text)) return undefined;
  const letters = text.replaceAll('0', '').length;
  if (/^0?[A-Z]+(0+[A-Z]+)*$/.test(text)) return letters >= (text.startsWith('0') ? 3 : 2) ? LETTER_INSIDE : undefined;
  return letters >= 3 ? LETTER_AT_END : undefined;
}

/** Whether the word holds a digit other than zero, or is part of a code or a number: `B0X-20`, `5.0ml`. */
function isNumbered(text: string, line: readonly DecodedCharacter[], start: number, end: number): boolean {
  if (/[1-9]/.test(text)) return true;
  const joined = (i: number, step: 1 | -1): boolean =>
    '-_.,:'.includes(line[i]?.character ?? ' ') && /^\d$/.test(line[i + step]?.character ?? '');
  return joined(end, 1) || joined(start - 1, -1);
}

function* words(characters: readonly DecodedCharacter[]): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < characters.length; start++) {
    let end = start;
    while (end < characters.length && WORD_CHARACTER.test(characters[end].character)) end++;
    if (end > start) yield [start, end];
    start = end;
  }
}
