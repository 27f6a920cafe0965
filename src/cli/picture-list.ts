import { glob, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from './exit-status.ts';

/** The word that stands for standard input. */
export const STDIN = '-';

/** Ends the name of pictures with boxes, which are never taken for pictures to read in a folder or by a pattern. */
export const OVERLAY_EXTENSION = '.overlay.jpg';

/** One thing to read. */
export interface Picture {
  /** As it was named, or found below a folder that was named; `-` for standard input. */
  readonly file: string;
  /** Place below the output folder: the path below the folder that was named, else the file's own name. */
  readonly place: string;
  /** Milliseconds since 1970; undefined for standard input. */
  readonly changedAt: number | undefined;
}

/** A word of the command line that gave nothing to read. */
export interface NotFound {
  readonly file: string;
  readonly message: string;
}

export interface PictureList {
  readonly pictures: readonly Picture[];
  readonly notFound: readonly NotFound[];
}

/** What is looked for in folders; a file that is named is tried whatever its name is. */
const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.bmp']);

/** Numbers by value, so that scan10 comes after scan9; the same order on every machine whatever its locale. */
const byName = new Intl.Collator('en', { numeric: true });

/**
 * Finds the pictures that files, folders, patterns and `-` name, each once, in the order of the words and by name below
 * each. Folders are searched to the bottom without what is hidden; links to folders are not followed.
 *
 * @param outDir results are written there: pictures in it are not looked at, unless a folder that is named lies in it
 * @throws {CommandError} when standard input is named twice
 */
export async function listPictures(words: readonly string[], outDir: string | undefined): Promise<PictureList> {
  const pictures = new Map<string, Picture>();
  const notFound: NotFound[] = [];
  for (const word of words) {
    const found = word === STDIN ? [{ file: STDIN, place: 'stdin', changedAt: undefined }] : await find(word, outDir);
    if (!Array.isArray(found)) {
      notFound.push({ file: word, message: found });
      continue;
    }
    for (const picture of found) {
      const key = picture.file === STDIN ? STDIN : path.resolve(picture.file);
      if (key === STDIN && pictures.has(key)) throw usageError('Standard input (-) can be read only once.');
      if (!pictures.has(key)) pictures.set(key, picture);
    }
  }
  return { pictures: [...pictures.values()], notFound };
}

/** What one word names, or why that is nothing. A file whose name looks like a pattern is that file. */
async function find(word: string, outDir: string | undefined): Promise<Picture[] | string> {
  const stats = await stat(word).catch(() => undefined);
  if (stats?.isDirectory()) {
    const found = await walk(word, outDir);
    return found.length > 0 ? found : 'The folder holds no jpg, jpeg, png or bmp file.';
  }
  if (stats) return [{ file: word, place: path.basename(word), changedAt: stats.mtimeMs }];
  if (!/[*?[{]/.test(word)) return 'There is no such file or folder.';
  const found = await match(word, outDir);
  return found.length > 0 ? found : 'No file matches the pattern.';
}

async function walk(folder: string, outDir: string | undefined): Promise<Picture[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const places = entries
    .filter((entry) => !entry.isDirectory() && EXTENSIONS.has(path.extname(entry.name).toLowerCase()))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((place) => !place.split(path.sep).some((part) => part.startsWith('.')));
  return toPictures(folder, places, outDir);
}

async function match(pattern: string, outDir: string | undefined): Promise<Picture[]> {
  const parts = pattern.split('/');
  const firstMagic = parts.findIndex((part) => /[*?[{]/.test(part));
  const base = parts.slice(0, firstMagic).join('/') || (pattern.startsWith('/') ? '/' : '.');
  const places: string[] = [];
  for await (const place of glob(parts.slice(firstMagic).join('/'), { cwd: base })) places.push(place);
  return toPictures(base, places, outDir);
}

async function toPictures(base: string, places: readonly string[], outDir: string | undefined): Promise<Picture[]> {
  const isResult = resultsIn(base, outDir);
  const pictures: Picture[] = [];
  for (const place of [...places].sort(byName.compare)) {
    const file = path.join(base, place);
    if (isResult(file)) continue;
    const stats = await stat(file).catch(() => undefined);
    if (stats?.isFile()) pictures.push({ file, place, changedAt: stats.mtimeMs });
  }
  return pictures;
}

/** Tells what this command has written itself, so that a second run does not read the pictures with boxes of the first. */
function resultsIn(base: string, outDir: string | undefined): (file: string) => boolean {
  const below = (file: string, folder: string): boolean => path.resolve(file).startsWith(path.join(folder, path.sep));
  const results = outDir === undefined ? undefined : path.resolve(outDir);
  const leaveOut = results !== undefined && below(results, path.resolve(base)) ? results : undefined;
  return (file) => file.endsWith(OVERLAY_EXTENSION) || (leaveOut !== undefined && below(file, leaveOut));
}
