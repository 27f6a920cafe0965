import { classOf } from './class-probability.ts';
import type { DecodedCharacter } from './ctc.ts';
import type { ModelOutput } from './session.ts';

/** Marks that stand alone in a full-width cell, and are faint or rare enough to lose against the blank. */
const MARKS = [...'，。、：；！？·●◆■★▲○◇□△▼▶►•→←↑↓…—《》〈〉（）【】“”‘’℃％￥'];
/** Distance of two ideographs, in character pitches, from which there is room for a mark between them. */
const GAP_PITCHES = 1.7;
/** The same before the first and after the last character, where the crop's own margin is part of the gap. */
const LEADING_PITCHES = 1.9;
const TRAILING_PITCHES = 0.9;
/**
 * Probability of all marks together, in one time step of a gap, from which something is there. On the development set
 * 0.03 to 0.07 mend the same ten lines of 1,841 and break none; 0.15 mends six.
 */
const GAP_EVIDENCE = 0.05;

/**
 * Which mark is meant where the recognizer hesitates between two after an ideograph. It leans towards the commoner one:
 * on 1,055 rendered lines of 10 to 16 px (four fonts; blur, JPEG, bilevel) all commas (4) and colons (7) with the full
 * stop as runner-up at 0.15 or more were full stops, and 5 of 6 colons with the semicolon at 0.2 were semicolons.
 */
const UNDERRATED: readonly { readonly read: string; readonly meant: string; readonly from: number }[] = [
  { read: '，,：.．', meant: '。', from: 0.15 },
  { read: '：', meant: '；', from: 0.2 },
];

/**
 * Adds marks that narrowly lost to the blank, and corrects marks that narrowly lost to a commoner one. Only for lines
 * with ideographs, whose even pitch shows where a cell is empty; nothing else is ever changed.
 *
 * @param characters what greedy decoding gave for `output`
 * @param output probabilities of shape [1, steps, classes]
 * @param charset class index -> character
 */
export function refineMarks(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): readonly DecodedCharacter[] {
  const pitch = ideographPitch(characters);
  if (pitch === undefined) return characters;
  const marks = markClasses(charset);
  return correctMarks(fillGaps(characters, pitch, output, charset, marks), output, marks);
}

function fillGaps(
  characters: readonly DecodedCharacter[],
  pitch: number,
  output: ModelOutput,
  charset: readonly string[],
  marks: ReadonlyMap<string, number>,
): DecodedCharacter[] {
  const filled: DecodedCharacter[] = [];
  for (let i = 0; i <= characters.length; i++) {
    const before = characters[i - 1];
    const after = characters[i];
    const end = after?.step ?? stepsOf(output);
    const roomFrom = before === undefined ? LEADING_PITCHES : after === undefined ? TRAILING_PITCHES : GAP_PITCHES;
    const hasRoom = end - (before?.step ?? 0) >= roomFrom * pitch;
    if (hasRoom && (isIdeograph(before) || isIdeograph(after))) {
      const mark = likeliestMark((before?.step ?? -1) + 1, end, output, charset, marks);
      if (mark) filled.push(mark);
    }
    if (after) filled.push(after);
  }
  return filled;
}

/** The mark with the most probability in the steps `from` to `to` (exclusive), if there is enough of any. */
function likeliestMark(
  from: number,
  to: number,
  output: ModelOutput,
  charset: readonly string[],
  marks: ReadonlyMap<string, number>,
): DecodedCharacter | undefined {
  let probability = 0;
  let step = from;
  let likeliest = 0;
  let most = 0;
  const sums = new Map<number, number>();
  for (let t = from; t < to; t++) {
    let inStep = 0;
    for (const k of marks.values()) {
      const p = probabilityAt(output, t, k);
      const sum = (sums.get(k) ?? 0) + p;
      sums.set(k, sum);
      inStep += p;
      if (sum > most) {
        most = sum;
        likeliest = k;
      }
    }
    if (inStep > probability) {
      probability = inStep;
      step = t;
    }
  }
  return probability < GAP_EVIDENCE ? undefined : { character: charset[likeliest] ?? '', probability, step };
}

function correctMarks(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  marks: ReadonlyMap<string, number>,
): DecodedCharacter[] {
  return characters.map((decoded, i) => {
    const stop = endOfSentence(decoded, characters[i + 1], output, marks);
    if (stop !== undefined) return stop;
    if (!isIdeograph(characters[i - 1])) return decoded;
    for (const { read, meant, from } of UNDERRATED) {
      const k = marks.get(meant);
      if (k === undefined || !read.includes(decoded.character)) continue;
      const probability = probabilityAt(output, decoded.step, k);
      if (probability >= from) return { ...decoded, character: meant, probability };
    }
    return decoded;
  });
}

/**
 * Probability of the full stop from which a dot at the end of a line of ideographs, or before one, is a full stop,
 * whatever stands before it (`m/s。`, `)。`). A dot that is one (`1.`, `Co.,`) has less than a hundredth.
 */
const STOP_EVIDENCE = 0.03;

function endOfSentence(
  decoded: DecodedCharacter,
  after: DecodedCharacter | undefined,
  output: ModelOutput,
  marks: ReadonlyMap<string, number>,
): DecodedCharacter | undefined {
  const k = marks.get('。');
  if (k === undefined || !'.．'.includes(decoded.character) || (after !== undefined && !isIdeograph(after)))
    return undefined;
  const probability = probabilityAt(output, decoded.step, k);
  return probability >= STOP_EVIDENCE ? { ...decoded, character: '。', probability } : undefined;
}

/** Distances of neighbouring ideographs in time steps. */
export function ideographDistances(characters: readonly DecodedCharacter[]): number[] {
  return characters.flatMap((decoded, i) => {
    const before = characters[i - 1];
    return isIdeograph(before) && isIdeograph(decoded) ? [decoded.step - before.step] : [];
  });
}

/** Median distance of neighbouring ideographs in time steps; nothing to go by with fewer than two such pairs. */
export function ideographPitch(characters: readonly DecodedCharacter[]): number | undefined {
  const distances = ideographDistances(characters);
  if (distances.length < 2) return undefined;
  return distances.sort((a, b) => a - b)[distances.length >> 1];
}

/** One Chinese character. */
export const IDEOGRAPH = /^\p{Script=Han}$/u;
const isIdeograph = (decoded: DecodedCharacter | undefined): decoded is DecodedCharacter =>
  decoded !== undefined && IDEOGRAPH.test(decoded.character);

const stepsOf = ({ data, dims }: ModelOutput): number => data.length / (dims.at(-1) ?? 1);
const probabilityAt = ({ data, dims }: ModelOutput, step: number, k: number): number =>
  data[step * (dims.at(-1) ?? 1) + k] ?? 0;

/** Mark -> class index, for the marks that a charset has. */
const markClasses = (charset: readonly string[]): ReadonlyMap<string, number> =>
  new Map(MARKS.map((mark) => [mark, classOf(mark, charset)] as const).filter(([, k]) => k > 0));
