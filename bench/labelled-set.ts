import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A picture with the lines that it holds. */
export interface LabelledImage {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly texts: readonly string[];
}

/** Texts read in each picture. */
export type Predictions = Readonly<Record<string, readonly { readonly words: string }[] | null>>;

/**
 * Loads a set: `{ images: [{ file, lines: [{ text }] }] }`, pictures beside the file or in `images/` beside it.
 *
 * @param prefixes beginnings of the file names to keep; none: all
 */
export async function loadLabelledSet(labelsFile: string, prefixes: readonly string[]): Promise<LabelledImage[]> {
  const labels = JSON.parse(await readFile(labelsFile, 'utf8')) as {
    images: { file: string; lines?: { text: string }[] }[];
  };
  const folder = path.dirname(labelsFile);
  const kept = labels.images.filter(
    ({ file }) => prefixes.length === 0 || prefixes.some((prefix) => file.startsWith(prefix)),
  );
  return Promise.all(
    kept.map(async ({ file, lines = [] }) => {
      const inside = path.join(folder, 'images', file);
      const bytes = await readFile(existsSync(inside) ? inside : path.join(folder, file));
      return { file, bytes, texts: lines.map(({ text }) => text) };
    }),
  );
}

const withoutSpaces = (text: string): string => text.replace(/\s+/gu, '');

/**
 * Share of the labelled lines (0..1) whose text was read exactly, white space and place apart. It only shows that what was
 * timed was read; a scorer judges accuracy.
 */
export function exactLines(set: readonly LabelledImage[], predictions: Predictions): number {
  let found = 0;
  let total = 0;
  for (const { file, texts } of set) {
    const left = (predictions[file] ?? []).map(({ words }) => withoutSpaces(words));
    for (const text of texts) {
      const at = left.indexOf(withoutSpaces(text));
      if (at >= 0) {
        left.splice(at, 1);
        found++;
      }
      total++;
    }
  }
  return found / Math.max(1, total);
}
