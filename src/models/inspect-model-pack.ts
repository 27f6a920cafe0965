import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { PackEntry } from './manifest.ts';
import { sha256OfFile } from './sha256.ts';

/** `damaged`: it is there, but not the file that the manifest names. */
export interface InspectedFile {
  readonly file: string;
  readonly state: 'ok' | 'missing' | 'damaged';
}

/** Compares every file of a pack with the manifest, by SHA-256 (a file without one only has to be there and not be empty). */
export async function inspectModelPack(modelsDir: string, pack: PackEntry): Promise<InspectedFile[]> {
  const { detector, recognizer, dictionary } = pack.files;
  return Promise.all(
    [detector, recognizer, dictionary].map(async (expected) => {
      const file = path.join(modelsDir, pack.name, expected.file);
      const stats = await stat(file).catch(() => undefined);
      if (!stats) return { file, state: 'missing' };
      const right = expected.sha256 === undefined ? stats.size > 0 : (await sha256OfFile(file)) === expected.sha256;
      return { file, state: right ? 'ok' : 'damaged' };
    }),
  );
}
