import { findPack, readManifest } from './manifest.ts';
import { ModelPackError } from './model-pack-error.ts';

/** Which models read here, so that two answers can be traced to the same or to different ones. */
export interface ModelPackDescription {
  readonly name: string;
  /** SPDX identifier; empty where the manifest does not have the pack. */
  readonly licence: string;
  /** Detector, recognizer and dictionary; `sha256` is empty where the manifest has none, as it may for a dictionary. */
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
}

/**
 * What the manifest says of a pack; no model file is read. An engine process compares the files with these hashes before
 * it loads them (`openModelPack`). For a pack or manifest that is not there only the name is given: the engine cannot
 * start then, and its message says what to do.
 */
export async function describeModelPack(modelsDir: string, name: string): Promise<ModelPackDescription> {
  try {
    const { licence, files } = findPack(await readManifest(modelsDir), name);
    const { detector, recognizer, dictionary } = files;
    return {
      name,
      licence,
      files: [detector, recognizer, dictionary].map(({ file, sha256 = '' }) => ({ file, sha256 })),
    };
  } catch (error) {
    if (!(error instanceof ModelPackError)) throw error;
    return { name, licence: '', files: [] };
  }
}
