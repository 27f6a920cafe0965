/**
 * Builds `dist/` for the package and the image: the three programs (server, command line, engine process) with the modules
 * that they share, and the packages below, in a few files each. A start reads 2,100 files without this, half of them
 * typebox's; on a disk that has not read them before, that is most of the time to the first answer.
 *
 *   node scripts/bundle.ts
 */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Packages that are put into the files: typebox alone is 500 modules, and without them a server is ready in 0.75 s instead
 * of 1.2 s. Others are native (sharp, onnxruntime-node) or find their own files by their address (pdfium, swagger-ui, pino);
 * the remaining ones (fastify, ajv, undici, ...) brought nothing that could be measured.
 */
const BUNDLED = ['typebox'];

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/server.ts', 'src/cli.ts', 'src/engine/engine-process.ts'],
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  // Shared modules go into files beside server.js: src/package-files.ts counts on that.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  charset: 'utf8',
  logLevel: 'warning',
  plugins: [
    {
      name: 'packages',
      setup({ onResolve }) {
        onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
          if (kind === 'entry-point') return undefined;
          const bundled = BUNDLED.some((name) => path === name || path.startsWith(`${name}/`));
          return bundled ? undefined : { path, external: true };
        });
      },
    },
  ],
});
