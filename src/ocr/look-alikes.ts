import type { DecodedCharacter } from './ctc.ts';
import type { ModelOutput } from './session.ts';

/**
 * The charset of a multilingual recognizer holds glyphs that look alike or the same. These rules choose among them by
 * what stands beside them; they never replace a glyph by one of another shape.
 */
export function resolveLookAlikes(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): readonly DecodedCharacter[] {
  const single = mergeVariants(characters);
  const foreign = hasOwnLetters(single);
  return single.map((decoded, i) => {
    const neighbours = [single[i - 1]?.character, single[i + 1]?.character];
    if (decoded.character === '○' && neighbours.some((c) => c !== undefined && CHINESE_DIGITS.includes(c))) {
      return { ...decoded, character: '〇' };
    }
    const latin = foreign ? undefined : LATIN_TWINS.get(decoded.character);
    if (latin !== undefined && neighbours.some(isLatinOrDigit)) return { ...decoded, character: latin };
    return plainLetter(decoded, output, charset);
  });
}

/** The zero of Chinese numerals is written 〇; beside another numeral a circle is nothing else. */
const CHINESE_DIGITS = '一二三四五六七八九〇○';

/** Two forms of one mark (`.` and `．`) in adjacent time steps are one mark: greedy decoding only merges equal classes. */
function mergeVariants(characters: readonly DecodedCharacter[]): DecodedCharacter[] {
  const merged: DecodedCharacter[] = [];
  for (const decoded of characters) {
    const before = merged.at(-1);
    const same =
      before !== undefined &&
      decoded.step - before.step === 1 &&
      !ALPHANUMERIC.test(decoded.character) &&
      before.character.normalize('NFKC') === decoded.character.normalize('NFKC');
    if (!same) merged.push(decoded);
    else if (decoded.probability > before.probability) merged[merged.length - 1] = decoded;
  }
  return merged;
}

const ALPHANUMERIC = /^[\p{L}\p{N}]$/u;

/** Greek and Cyrillic capitals (and the Cyrillic small letters) that are drawn exactly like a Latin letter. */
const LATIN_TWINS: ReadonlyMap<string, string> = new Map(
  [...'ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXАAВBЕEКKМMНHОOРPСCТTХXаaеeоoрpсcхx'.matchAll(/(.)(.)/gu)].map(([, twin, latin]) => [
    twin ?? '',
    latin ?? '',
  ]),
);

const isLatinOrDigit = (character: string | undefined): boolean =>
  character !== undefined && /^[\p{Script=Latin}0-9]$/u.test(character);

/** Whether the line holds Greek or Cyrillic letters that cannot be Latin ones: then its twins are its own as well. */
const hasOwnLetters = (characters: readonly DecodedCharacter[]): boolean =>
  characters.some(
    ({ character }) => /^[\p{Script=Greek}\p{Script=Cyrillic}]$/u.test(character) && !LATIN_TWINS.has(character),
  );

/** An accent that is there is read with 0.9 and more. Below this, with several accents in question, it is a speck. */
const SURE_ACCENT = 0.75;
/** The other accents of the letter (and the bare one) have to make up for the rest. */
const SAME_LETTER = 0.9;

/** A letter whose accent nobody can agree on (é 0.57, è 0.32, ė 0.10) has none. */
function plainLetter(decoded: DecodedCharacter, output: ModelOutput, charset: readonly string[]): DecodedCharacter {
  if (decoded.probability >= SURE_ACCENT || !ACCENTED.test(decoded.character)) return decoded;
  const base = baseOf(decoded.character);
  if (base === decoded.character) return decoded;
  const variants = variantsOf(charset).get(base) ?? [];
  const classes = output.dims.at(-1) ?? 1;
  const share = variants.reduce((sum, k) => sum + (output.data[decoded.step * classes + k] ?? 0), 0);
  return share >= SAME_LETTER ? { ...decoded, character: base, probability: share } : decoded;
}

const ACCENTED = /^[\u00c0-\u024f\u1e00-\u1eff]$/u;
const baseOf = (character: string): string => [...character.normalize('NFD')][0] ?? character;

const variantsByCharset = new WeakMap<readonly string[], ReadonlyMap<string, number[]>>();

/** ASCII letter -> classes of the letter and of all its accented forms. */
function variantsOf(charset: readonly string[]): ReadonlyMap<string, number[]> {
  const known = variantsByCharset.get(charset);
  if (known) return known;
  const variants = new Map<string, number[]>();
  charset.forEach((character, k) => {
    if (!ACCENTED.test(character) && !/^[A-Za-z]$/.test(character)) return;
    const base = baseOf(character);
    const list = variants.get(base);
    if (list) list.push(k);
    else variants.set(base, [k]);
  });
  variantsByCharset.set(charset, variants);
  return variants;
}
