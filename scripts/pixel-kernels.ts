/** Compiles assembly/pixels.ts into src/ocr/pixels-wasm.ts: `npm run pixel-kernels`. A test compares the two. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import asc from 'assemblyscript/asc';

const ROOT = path.join(import.meta.dirname, '..');

/**
 * Source of the module that holds the compiled kernels. The compiler is pinned, and gives the same bytes everywhere.
 *
 * @throws {Error} with the compiler's messages
 */
export async function pixelsModule(): Promise<string> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    'assembly/pixels.ts --outFile pixels.wasm -O3 --noAssert --runtime stub --enable simd --baseDir'
      .split(' ')
      .concat(ROOT),
    {
      writeFile: (_name, contents) => {
        if (typeof contents !== 'string') wasm = contents;
      },
    },
  );
  if (error !== null || wasm === undefined) throw new Error(stderr.toString(), { cause: error });
  return `/** WebAssembly of assembly/pixels.ts in base64; \`npm run pixel-kernels\` writes this file. */
export const PIXELS_WASM =
  '${Buffer.from(wasm).toString('base64')}';
`;
}

if (import.meta.main) await writeFile(path.join(ROOT, 'src/ocr/pixels-wasm.ts'), await pixelsModule());
