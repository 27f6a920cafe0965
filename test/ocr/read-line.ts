import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import type { ReadLine } from '../../src/ocr/line-reading.ts';
import { toReading } from '../../src/ocr/text-recognition.ts';
import { toQuad } from './opencv/reference.ts';

/** An upright line of these characters. */
export function readLine(characters: readonly DecodedCharacter[], em = 20): ReadLine {
  const tight = toQuad([0, 0, 200, 0, 200, em, 0, em]);
  return {
    region: { kernel: tight, loose: tight, tight, strokes: [0, 0], hasInk: true, score: 0.9 },
    tight,
    tall: false,
    ambiguous: false,
    split: false,
    em,
    reading: toReading(characters, 300),
    turns: 0,
    crop: tight,
  };
}
