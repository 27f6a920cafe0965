/** How a reading differs from what was expected, white space, marks, case and forms of one character (NFKC) apart. */
export interface Disagreement {
  /** For each expected character, 1 if its letters or digits were not read and 0 otherwise. */
  readonly missed: readonly (0 | 1)[];
  /** Letters and digits that were read and not expected. */
  readonly extra: number;
}

const lettersOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]/gu) ?? [];

/** Compares by the alignment with the fewest insertions, deletions and substitutions (Wagner and Fischer 1974). */
export function missedLetters(expected: readonly string[], read: string): Disagreement {
  const letters = expected.flatMap((text, index) => lettersOf(text).map((letter) => ({ letter, index })));
  const found = lettersOf(read);
  const width = found.length + 1;
  const distances = new Uint32Array((letters.length + 1) * width);
  for (let j = 0; j < width; j++) distances[j] = j;
  for (let i = 1; i <= letters.length; i++) {
    distances[i * width] = i;
    for (let j = 1; j < width; j++) {
      const same = letters[i - 1]?.letter === found[j - 1];
      distances[i * width + j] = Math.min(
        distances[(i - 1) * width + j - 1] + (same ? 0 : 1),
        distances[(i - 1) * width + j] + 1,
        distances[i * width + j - 1] + 1,
      );
    }
  }
  const missed = expected.map((): 0 | 1 => 0);
  let extra = 0;
  for (let i = letters.length, j = found.length; i > 0 || j > 0;) {
    const here = distances[i * width + j];
    const last = letters[i - 1];
    const same = last !== undefined && last.letter === found[j - 1];
    if (i > 0 && j > 0 && here === distances[(i - 1) * width + j - 1] + (same ? 0 : 1)) {
      if (!same && last !== undefined) missed[last.index] = 1;
      i--;
      j--;
    } else if (last !== undefined && here === distances[(i - 1) * width + j] + 1) {
      missed[last.index] = 1;
      i--;
    } else {
      extra++;
      j--;
    }
  }
  return { missed, extra };
}
