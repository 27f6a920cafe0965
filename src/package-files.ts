/**
 * Where the package's own files are. Only modules of this folder may ask for their own address: the build puts all others
 * into shared files beside `server.js` (scripts/bundle.ts), where their folder is this one.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The model packs that ship with the package: `models/` beside `src/`, or beside `dist/` where it is built. */
export const BUNDLED_MODELS_DIR = fileURLToPath(new URL('../models', import.meta.url));

/** Folder of the page's files. */
export const WEB_DIR = new URL('./web/', import.meta.url);

/** What an engine process runs: TypeScript in the sources, JavaScript where the project was built. */
export const ENGINE_PROCESS = new URL(`./engine/engine-process${path.extname(import.meta.url)}`, import.meta.url);
