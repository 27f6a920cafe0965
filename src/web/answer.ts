/** One line of the server's answer. `location` is in pixels of the upright picture, `score` is 0..1. */
export interface Line {
  readonly words: string;
  readonly location: { readonly top: number; readonly left: number; readonly width: number; readonly height: number };
  readonly score: number;
}

/** What was read in one picture. */
export interface Answer {
  /** In reading order. */
  readonly lines: readonly Line[];
  /** What the server worked on it. */
  readonly seconds: number;
}

/** How sure a line is, in three steps that can be told apart by colour and by stroke. */
export type Confidence = 'high' | 'medium' | 'low';

/** From these scores on. A choice of this page, to guide the eye; the API knows no such steps. */
export const FROM_SCORE = { high: 0.95, medium: 0.8, low: 0 } as const satisfies Record<Confidence, number>;

export function confidenceOf(score: number): Confidence {
  if (score >= FROM_SCORE.high) return 'high';
  return score >= FROM_SCORE.medium ? 'medium' : 'low';
}

/** "97 %", never rounded up to a certainty that is not there. */
export const percent = (score: number): string => `${Math.floor(score * 100)} %`;
