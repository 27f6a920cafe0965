/** The real program of an engine process on a fake pipeline: everything but the models. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier.endsWith('/ocr/read-page.ts')
      ? { url: new URL('./fake-read-page.ts', import.meta.url).href, shortCircuit: true }
      : nextResolve(specifier, context),
});

await import('../../src/engine/engine-process.ts');
