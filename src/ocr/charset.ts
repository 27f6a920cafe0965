/**
 * Class index of a recognizer -> character: index 0 is `''` (the CTC blank), then the dictionary in its order, last a space.
 * A character is one Unicode code point in every known dictionary, but two UTF-16 units for some (emoji, rare ideographs).
 */
export type Charset = readonly string[];

/**
 * Builds the charset of a dictionary file: UTF-8, one character a line, every line ended by `\n`.
 *
 * Only `\n` ends a line, and nothing is trimmed: U+3000 (ideographic space) is a character of PP-OCRv6's dictionary, and other
 * dictionaries hold separators that a line reader would take for line ends.
 *
 * @throws {RangeError} when a line is empty or appears twice, or the last one is not ended: a damaged dictionary would
 *   otherwise shift every character after the damage
 */
export function charsetFromDictionary(dictionary: string): Charset {
  if (!dictionary.endsWith('\n')) throw new RangeError('the dictionary does not end with a line end');
  const characters = dictionary.slice(0, -1).split('\n');
  const empty = characters.indexOf('');
  if (empty >= 0) throw new RangeError(`line ${empty + 1} of the dictionary is empty`);
  if (new Set(characters).size !== characters.length) throw new RangeError('the dictionary holds a character twice');
  return Object.freeze(['', ...characters, ' ']);
}
