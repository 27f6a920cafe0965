import { stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from './exit-status.ts';
import type { Picture } from './picture-list.ts';

/** A picture with the files that it is going to become, one for each extension asked for, in that order. */
export interface PlannedPicture extends Picture {
  readonly outputs: readonly string[];
}

/**
 * Gives every picture its files below `outDir`: its place there with the extension of the result instead of its own
 * (`a/scan1.png` -> `a/scan1.json`). Pictures that differ in their extension only keep it (`scan1.png.json`,
 * `scan1.jpg.json`). The names depend on what is read alone, so that the same command finds its results again.
 *
 * @param extensions with their dot
 * @throws {CommandError} when two pictures would become the same file, or a result would replace a picture
 */
export function planOutputs(
  pictures: readonly Picture[],
  outDir: string,
  extensions: readonly string[],
): PlannedPicture[] {
  const stemOf = ({ place }: Picture): string => place.slice(0, place.length - path.extname(place).length);
  const counts = new Map<string, number>();
  for (const picture of pictures) counts.set(fold(stemOf(picture)), (counts.get(fold(stemOf(picture))) ?? 0) + 1);
  const planned = pictures.map((picture) => {
    const shared = (counts.get(fold(stemOf(picture))) ?? 0) > 1;
    const name = path.join(outDir, shared ? picture.place : stemOf(picture));
    return { ...picture, outputs: extensions.map((extension) => name + extension) };
  });
  refuseClashes(planned);
  return planned;
}

/** File systems of Windows and macOS take names that differ in case only as one. */
const fold = (name: string): string => name.toLowerCase();

function refuseClashes(planned: readonly PlannedPicture[]): void {
  const taken = new Map(planned.map(({ file }) => [fold(path.resolve(file)), file]));
  for (const { file, outputs } of planned) {
    for (const output of outputs) {
      const key = fold(path.resolve(output));
      const other = taken.get(key);
      if (other !== undefined) {
        throw usageError(
          `The result ${output} of ${file} would replace ${other === file ? 'it' : `that of ${other}, or that file itself`}. ` +
            'Name their folders instead of the files, give them other names, or read them into two folders.',
        );
      }
      taken.set(key, file);
    }
  }
}

/**
 * True if every file of a picture is there and not older than the picture. A file that is there is whole: see
 * `writeWhole`. What came by standard input is never done.
 */
export async function isDone({ changedAt, outputs }: PlannedPicture): Promise<boolean> {
  if (changedAt === undefined || outputs.length === 0) return false;
  for (const output of outputs) {
    const stats = await stat(output).catch(() => undefined);
    if (!stats?.isFile() || stats.mtimeMs < changedAt) return false;
  }
  return true;
}
