import { growQuad, quadSize, turnQuad } from './geometry.ts';
import { extendToMark, keepMark } from './last-mark.ts';
import { cropLine } from './line-crop.ts';
import type { LineCandidate } from './line-candidates.ts';
import type { LineHelp, LinePlace } from './line-help.ts';
import type { Orientation, Quad, QuarterTurns } from './page.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Session } from './session.ts';
import { readStacked } from './stacked-text.ts';
import { readingQuality, recognizeText, type Reading } from './text-recognition.ts';

/** A candidate with what was read in it. */
export interface ReadLine extends LineCandidate {
  readonly reading: Reading;
  /** Quarter turns under which it reads best. */
  readonly turns: QuarterTurns;
  /** What was cut out for this reading: the ink with its margin, before the turns. */
  readonly crop: Quad;
}

/** Margin around the ink on every side, in text heights: the recognizer was trained on boxes that are not tight. */
const MARGIN = 0.3;
/** A reading of at least this quality is not questioned once the page's direction is known. */
const SURE_QUALITY = 0.85;
/** The opposite direction must be better by this much; more once the page has shown its direction. */
const FLIP_GAIN = 0.08;
const FLIP_GAIN_VOTED = 0.2;
/**
 * What is so short may read as well the other way round (`}` and `{`, `6` and `9`): once the page has shown its direction it is turned
 * only where it is hardly text as it stands.
 */
const SHORT_TEXT = 2;
const HARDLY_TEXT = 0.5;
/** Votes that make a direction the page's own. */
const ENOUGH_VOTES = 3;
/** Lines read in vain as vertical text that show that the page has none. */
const ENOUGH_LYING = 2;
/** An upright reading of an ambiguous tall box wins unless it is worse by this much. */
const UPRIGHT_TOLERANCE = 0.05;

/** How often each of the two possible directions has been read with confidence. */
class DirectionVotes {
  readonly counts: [number, number] = [0, 0];

  /** 0: reads rightwards or downwards; 1: the opposite. */
  get preferred(): 0 | 1 {
    return this.counts[1] > this.counts[0] ? 1 : 0;
  }
  get most(): number {
    return Math.max(...this.counts);
  }
  get decided(): boolean {
    return this.most >= ENOUGH_VOTES && this.most >= 4 * Math.min(...this.counts);
  }
}

/** Whether the lines that run along the image's vertical are vertical text or text of a page on its side. */
class StackVotes {
  #stacked = 0;
  #lying = 0;

  vote(isStacked: boolean): void {
    if (isStacked) this.#stacked += 1;
    else this.#lying += 1;
  }
  /** A single ideograph says little about how a column is written, until others have shown it. */
  get leastIdeographs(): number {
    return this.#stacked > 0 ? 1 : 2;
  }
  /** Nothing but lines of a page on its side so far. */
  get hopeless(): boolean {
    return this.#stacked === 0 && this.#lying >= ENOUGH_LYING;
  }
}

/**
 * Reads every candidate. With orientation `off` rightwards and, tall ones, downwards. Otherwise: instead of a 0/180 degree classifier the page votes: the longest lines come first, a line that
 * reads badly is read the other way round as well, and lines that read well decide where later, shorter ones start.
 *
 * @param orientation `auto` unless given
 * @param help others who read the first attempt of some lines beforehand
 * @returns the lines in the order in which they were read, and the summed width of all line images
 */
export async function readLines(
  image: RgbImage,
  candidates: readonly LineCandidate[],
  session: Session,
  charset: readonly string[],
  orientation: Orientation = 'auto',
  help?: LineHelp,
): Promise<{ lines: ReadLine[]; recognizerWidth: number }> {
  const longestFirst = candidates.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  const wide = new DirectionVotes();
  const tall = new DirectionVotes();
  let recognizerWidth = 0;
  const read = async (tight: Quad, quad: Quad, turns: QuarterTurns): Promise<Attempt> => {
    const reading =
      (await help?.take({ quad, turns })) ?? (await recognizeText(cropLine(image, quad, turns), session, charset));
    recognizerWidth += reading.width;
    return { reading, turns, tight, crop: quad, quality: readingQuality(reading) };
  };
  const quads = candidates.map(({ tight }) => tight);
  const extend = (candidate: LineCandidate, turns: QuarterTurns): Quad | undefined =>
    candidate.split || candidate.ambiguous ? undefined : extendToMark(image, candidate.tight, turns, quads);
  const readAlong = async (candidate: LineCandidate, turns: QuarterTurns): Promise<Attempt> => {
    const { tight } = candidate;
    const extended = extend(candidate, turns);
    const attempt = await read(tight, withMargin({ ...candidate, tight: extended ?? tight }), turns);
    if (extended === undefined) return attempt;
    const { reading, kept } = keepMark(attempt.reading, turnQuad(attempt.crop, turns), turnQuad(tight, turns));
    return { ...attempt, reading, tight: kept ? extended : tight, quality: readingQuality(reading) };
  };
  const stacks = new StackVotes();
  const stand = async ({ crop, turns, reading }: Attempt): Promise<Reading> => {
    const stacked = await readStacked(cropLine(image, crop, turns), reading, session, charset, stacks.leastIdeographs);
    recognizerWidth += stacked.width;
    if (stacked.width > 0) stacks.vote(stacked.reading !== undefined);
    return stacked.reading ?? reading;
  };
  help?.offer(
    image,
    longestFirst.map((candidate) => likelyAttempt(candidate, extend)),
  );
  const lines: ReadLine[] = [];
  for (const candidate of longestFirst) {
    const votes = candidate.tall ? tall : wide;
    let best = await readBothWays(candidate, votes, candidates.length, readAlong, orientation);
    if (candidate.ambiguous) {
      const upright = await read(
        candidate.tight,
        growQuad(candidate.tight, MARGIN * candidate.em, MARGIN * candidate.em),
        wide.preferred === 1 ? 2 : 0,
      );
      if (upright.quality > best.quality - UPRIGHT_TOLERANCE) best = upright;
    }
    const { turns, tight, crop } = best;
    const reading = turns % 2 === 0 || stacks.hopeless ? best.reading : await stand(best);
    lines.push({ ...candidate, reading, turns, tight, crop });
  }
  return { lines, recognizerWidth };
}

interface Attempt {
  readonly reading: Reading;
  readonly turns: QuarterTurns;
  readonly tight: Quad;
  readonly crop: Quad;
  readonly quality: number;
}

/** What is read of a candidate first unless the page turns out to be upside down. */
function likelyAttempt(
  candidate: LineCandidate,
  extend: (candidate: LineCandidate, turns: QuarterTurns) => Quad | undefined,
): LinePlace {
  const turns = candidate.tall ? 1 : 0;
  return { quad: withMargin({ ...candidate, tight: extend(candidate, turns) ?? candidate.tight }), turns };
}

async function readBothWays(
  candidate: LineCandidate,
  votes: DirectionVotes,
  lineCount: number,
  read: (candidate: LineCandidate, turns: QuarterTurns) => Promise<Attempt>,
  orientation: Orientation,
): Promise<Attempt> {
  const directions: readonly [QuarterTurns, QuarterTurns] = candidate.tall ? [1, 3] : [0, 2];
  const first = votes.preferred;
  let direction = first;
  let best = await read(candidate, directions[first]);
  const length = [...best.reading.text].length;
  const reversible = votes.decided && length > 0 && length <= SHORT_TEXT && best.quality >= HARDLY_TEXT;
  const sure =
    reversible ||
    (best.quality >= SURE_QUALITY && (votes.decided || length >= 4 || (lineCount <= 3 && best.quality > 0.95)));
  if (!sure && orientation === 'auto') {
    const opposite = first === 0 ? 1 : 0;
    const other = await read(candidate, directions[opposite]);
    if (other.quality > best.quality + (votes.most < ENOUGH_VOTES ? FLIP_GAIN : FLIP_GAIN_VOTED)) {
      best = other;
      direction = opposite;
    }
  }
  if (best.quality >= SURE_QUALITY && [...best.reading.text].length >= 3) votes.counts[direction]++;
  return best;
}

/** The tight quad grown to at least one text height across, plus the margin on every side. */
export function withMargin({
  tight,
  tall,
  ambiguous,
  em,
}: Pick<LineCandidate, 'tight' | 'tall' | 'ambiguous' | 'em'>): Quad {
  const { width, height } = quadSize(tight);
  const margin = MARGIN * em;
  return tall && !ambiguous
    ? growQuad(tight, margin + Math.max(0, (em - width) / 2), margin)
    : growQuad(tight, margin, margin + Math.max(0, (em - height) / 2));
}

function lengthOf({ tight }: LineCandidate): number {
  const { width, height } = quadSize(tight);
  return Math.max(width, height);
}
