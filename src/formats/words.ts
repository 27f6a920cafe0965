import type { Character, Quad } from '../ocr/page.ts';

/** A word of a line. */
export interface Word {
  readonly text: string;
  /** Mean of its characters' probabilities, 0..1. */
  readonly confidence: number;
  /** From the first to the last of its characters, oriented like the line. */
  readonly quad: Quad;
  readonly characters: readonly Character[];
  /** Whether white space stands between it and the next word. */
  readonly spaceAfter: boolean;
}

/** Scripts that are written without spaces between words, with their marks. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;

/** Chinese words by ICU's dictionary, which Node carries. */
const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

const isSpace = ({ text }: Character): boolean => text.trim() === '';

/**
 * Splits a line into words: at white space; between scripts with and without spaces; and within the latter where a
 * dictionary sees a word's end. `2026-08-15`, `li.ming@example.com` and the like stay whole.
 */
export function splitWords(characters: readonly Character[]): Word[] {
  const words: Word[] = [];
  let run: Character[] = [];
  const endRun = (spaceAfter: boolean): void => {
    const parts = run.length > 0 && isUnspaced(run[0]) ? segment(run) : [run];
    parts.forEach((part, i) => {
      if (part.length > 0) words.push(toWord(part, spaceAfter && i === parts.length - 1));
    });
    run = [];
  };
  for (const character of characters) {
    if (isSpace(character)) {
      endRun(true);
      continue;
    }
    if (run.length > 0 && isUnspaced(run[0]) !== isUnspaced(character)) endRun(false);
    run.push(character);
  }
  endRun(false);
  return words;
}

const isUnspaced = ({ text }: Character): boolean => UNSPACED.test(text);

/** A run of an unspaced script, cut where the dictionary cuts. */
function segment(run: readonly Character[]): Character[][] {
  const parts: Character[][] = [];
  let at = 0;
  let next = 0;
  const ends = [...segmenter.segment(run.map(({ text }) => text).join(''))].map(
    ({ index, segment }) => index + segment.length,
  );
  for (const end of ends) {
    const part: Character[] = [];
    while (next < run.length && at < end) {
      part.push(run[next]);
      at += run[next].text.length;
      next += 1;
    }
    if (part.length > 0) parts.push(part);
  }
  return parts;
}

function toWord(characters: readonly Character[], spaceAfter: boolean): Word {
  const first = characters[0].quad;
  const last = characters[characters.length - 1].quad;
  return {
    text: characters.map(({ text }) => text).join(''),
    confidence: characters.reduce((sum, { confidence }) => sum + confidence, 0) / characters.length,
    quad: [first[0], last[1], last[2], first[3]],
    characters,
    spaceAfter,
  };
}
