import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Engine, startEngine } from '../../src/engine/engine.ts';

t.test('a page is answered alike to the bit alone, with help and under load', async (t) => {
  const settings = {
    queueLength: 8,
    pageTimeoutMs: 60_000,
    memoryLimitBytes: 1_000_000_000,
    modelsDir: fileURLToPath(new URL('../../models', import.meta.url)),
    modelPack: 'pp-ocrv6-small-int8',
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  const one = startEngine({ ...settings, processes: 1 });
  const two = startEngine({ ...settings, processes: 2 });
  t.teardown(() => Promise.all([one.close(), two.close()]));
  await Promise.all([one.whenReady(), two.whenReady()]);
  const image = await readFile(new URL('../../docs/images/sample.png', import.meta.url));
  const linesIn = async (engine: Engine): Promise<string> => {
    const { lines } = await engine.read(image, { maxSide: 4096 }, new AbortController().signal);
    return JSON.stringify(lines);
  };
  const alone = await linesIn(one);
  t.match(alone, /OCR-2026-0815/);
  t.equal(await linesIn(two), alone, 'with another process to help');
  const underLoad = await Promise.all(Array.from({ length: 3 }, () => linesIn(two)));
  t.strictSame([...new Set(underLoad)], [alone], 'pages that begin, help and end at the same time');
});
