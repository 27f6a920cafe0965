import { pairBrackets } from './bracket-pairs.ts';
import { turnChevron } from './chevrons.ts';
import { decodeCtc, type DecodedCharacter } from './ctc.ts';
import { refineMarks } from './ctc-marks.ts';
import { measureDots } from './dot-ink.ts';
import { addFaintSymbols } from './faint-symbols.ts';
import { resolveLettersAndDigits } from './letters-and-digits.ts';
import { LINE_HEIGHT } from './line-crop.ts';
import { doubleLongDashes } from './long-dashes.ts';
import { resolveLookAlikes } from './look-alikes.ts';
import { judgeMarks } from './mark-judge.ts';
import { settleMarkWidths } from './mark-widths.ts';
import { toModelInput } from './model-input.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Session } from './session.ts';

/** What the recognizer reads in one line image. */
export interface Reading {
  readonly text: string;
  /** Mean probability of the characters, 0..1; 0 for no characters. */
  readonly confidence: number;
  readonly characters: readonly DecodedCharacter[];
  /** Width of the line image in pixels: what the reading cost. */
  readonly width: number;
}

/** Reads one 48 px high line image. */
export async function recognizeText(line: RgbImage, session: Session, charset: readonly string[]): Promise<Reading> {
  const output = await session.run(toModelInput(line), [1, 3, LINE_HEIGHT, line.width]);
  const greedy = addFaintSymbols(decodeCtc(output, charset), output, charset);
  const glyphs = turnChevron(resolveLookAlikes(greedy, output, charset), line);
  const letters = resolveLettersAndDigits(glyphs, output, charset);
  const marks = judgeMarks(refineMarks(letters, output, charset), output, charset, line);
  const characters = pairBrackets(settleMarkWidths(marks, output, charset, line), output, charset);
  return toReading(measureDots(doubleLongDashes(characters, line), line), line.width);
}

/** The reading that these characters make up. */
export function toReading(characters: readonly DecodedCharacter[], width: number): Reading {
  const text = characters.map(({ character }) => character).join('');
  const sum = characters.reduce((total, { probability }) => total + probability, 0);
  return { text, confidence: characters.length === 0 ? 0 : sum / characters.length, characters, width };
}

/** A 48 px wide stretch of a line holds about one Chinese or two Latin characters; far fewer mean that text was missed. */
const EXPECTED_CHARACTERS_PER_SQUARE = 0.3;
const SHORTEST_EXPECTATION = 1.2;

/** Confidence, discounted where the text is far too short for the width of its image: a wrong direction reads little but may be sure of it. */
export function readingQuality(reading: Reading): number {
  const expected = (EXPECTED_CHARACTERS_PER_SQUARE * reading.width) / LINE_HEIGHT;
  if (expected <= SHORTEST_EXPECTATION) return reading.confidence;
  const characters = [...reading.text.replaceAll(' ', '')].length;
  return reading.confidence * Math.min(1, characters / expected);
}
