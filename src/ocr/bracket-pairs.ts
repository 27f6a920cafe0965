import { probabilityOf } from './class-probability.ts';
import type { DecodedCharacter } from './ctc.ts';
import type { ModelOutput } from './session.ts';

/** Kinds of brackets and quotation marks; half-width and full-width forms are one kind. */
const KINDS: readonly (readonly [openers: string, closers: string])[] = [
  ['（(', '）)'],
  ['《', '》'],
  ['〈', '〉'],
  ['【', '】'],
  ['〔', '〕'],
  ['「', '」'],
  ['『', '』'],
  ['“', '”'],
  ['‘', '’'],
];
const ROUND = 0;

/**
 * Probability that both marks of a pair must have to be taken for it. Small or faint 《 is read as （ with 《 as the
 * runner-up; a mark that is not there has less than a thousandth.
 */
const EVIDENCE = 0.01;

/**
 * What 《》 and 〔〕 count more than other kinds where both marks of a pair are weighed: the recognizer leans towards the commoner
 * bracket twice. Of 1,440 pairs on 50 rendered pages (seven fonts, 14 to 26 px; most of them bilevel, noisy, blurred or reduced),
 * 413 of them 《》 and 201 〔〕, 20 were wrong without; 14 are with 10, 10 with 30, 8 with 100, and none of the 826 round ones breaks.
 */
const RARER: Readonly<Record<string, number>> = { '《': 30, '〔': 30 };

/**
 * The recognizer leans towards the commoner bracket. Of 1,200 brackets on rendered pages of 10 to 16 px (four fonts; a
 * third blurred, bilevel or JPEG) no round one had a runner-up this strong, and 2 of 2 《, 3 of 8 〔 and 19 of 32 〕 that
 * were read as round ones had.
 */
const UNDERRATED: readonly { readonly read: string; readonly meant: string; readonly from: number }[] = [
  { read: '（(', meant: '《', from: 0.1 },
  { read: '（(', meant: '〔', from: 0.1 },
  { read: '）)', meant: '〕', from: 0.2 },
];

/**
 * Makes the brackets of a line agree: a bracket that narrowly lost to a commoner one is what it is, an opening and a closing
 * mark of different kinds, or two round ones, are read as the kind that is likeliest for both, and an opening mark is never read
 * twice in neighbouring time steps. Other marks that agree, or that have no partner in the line, stay as they are.
 *
 * @param output probabilities of shape [1, steps, classes]
 */
export function pairBrackets(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): readonly DecodedCharacter[] {
  if (!characters.some(({ character }) => isMark(character))) return characters;
  const paired = mergeTwins(characters, output, charset).map((decoded) => correct(decoded, output, charset));
  const open: number[] = [];
  for (let i = 0; i < paired.length; i++) {
    const { character } = paired[i];
    if (kindOf(character, 0) >= 0) {
      const before = open.at(-1);
      const closing = before === undefined ? undefined : closedQuotation(paired[before], paired[i], output, charset);
      if (closing === undefined) open.push(i);
      else {
        paired[i] = closing;
        open.pop();
      }
    } else if (kindOf(character, 1) >= 0) {
      const opener = open.pop();
      if (opener !== undefined) agree(paired, opener, i, output, charset);
    }
  }
  return paired;
}

/** An opening quotation mark behind one of its own kind closes it, if it may be a closing one at all. */
function closedQuotation(
  opener: DecodedCharacter,
  decoded: DecodedCharacter,
  output: ModelOutput,
  charset: readonly string[],
): DecodedCharacter | undefined {
  const quotation = '“‘'.includes(decoded.character) && opener.character === decoded.character;
  if (!quotation) return undefined;
  const [character, probability] = likeliest(KINDS[kindOf(decoded.character, 0)][1], decoded.step, output, charset);
  return probability < EVIDENCE ? undefined : { ...decoded, character, probability };
}

function agree(
  characters: DecodedCharacter[],
  opener: number,
  closer: number,
  output: ModelOutput,
  charset: readonly string[],
): void {
  const [left, right] = [characters[opener], characters[closer]];
  const kind = kindOf(left.character, 0);
  const agreed = kind === kindOf(right.character, 1);
  if (agreed && kind !== ROUND) return;
  let best = 0;
  let [first, second] = [left, right];
  KINDS.forEach(([openers, closers], k) => {
    const [open, openProbability] = likeliest(openers, left.step, output, charset);
    const [close, closeProbability] = likeliest(closers, right.step, output, charset);
    const joint = openProbability * closeProbability * (RARER[openers] ?? 1);
    if (Math.min(openProbability, closeProbability) < EVIDENCE || joint <= best) return;
    best = joint;
    // Those that agree keep their widths.
    first = agreed && k === ROUND ? left : { ...left, character: open, probability: openProbability };
    second = agreed && k === ROUND ? right : { ...right, character: close, probability: closeProbability };
  });
  characters[opener] = first;
  characters[closer] = second;
}

function correct(decoded: DecodedCharacter, output: ModelOutput, charset: readonly string[]): DecodedCharacter {
  for (const { read, meant, from } of UNDERRATED) {
    if (!read.includes(decoded.character)) continue;
    const probability = probabilityOf(meant, decoded.step, output, charset);
    if (probability >= from) return { ...decoded, character: meant, probability };
  }
  return decoded;
}

/** Two opening (or two closing) marks in neighbouring steps are one: brackets are at least three steps wide. */
function mergeTwins(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): DecodedCharacter[] {
  const merged: DecodedCharacter[] = [];
  for (const decoded of characters) {
    const before = merged.at(-1);
    const side = kindOf(decoded.character, 0) >= 0 ? 0 : 1;
    const twins =
      before !== undefined &&
      decoded.step - before.step === 1 &&
      before.character !== decoded.character &&
      kindOf(decoded.character, side) >= 0 &&
      kindOf(before.character, side) >= 0;
    if (!twins) merged.push(decoded);
    else {
      const share = ({ character }: DecodedCharacter): number =>
        probabilityOf(character, before.step, output, charset) +
        probabilityOf(character, decoded.step, output, charset);
      if (share(decoded) > share(before)) merged[merged.length - 1] = decoded;
    }
  }
  return merged;
}

const kindOf = (character: string, side: 0 | 1): number => KINDS.findIndex((kind) => kind[side].includes(character));
const isMark = (character: string): boolean => kindOf(character, 0) >= 0 || kindOf(character, 1) >= 0;

function likeliest(
  forms: string,
  step: number,
  output: ModelOutput,
  charset: readonly string[],
): readonly [character: string, probability: number] {
  let best: readonly [string, number] = ['', 0];
  for (const form of forms) {
    const probability = probabilityOf(form, step, output, charset);
    if (probability > best[1]) best = [form, probability];
  }
  return best;
}
