/** A server process that is killed while its engine process reads: `orphaning-server.ts GATE_PORT`. */
import { startEngine } from '../../src/engine/engine.ts';

const port = process.argv[2];
const engine = startEngine({
  processes: 1,
  queueLength: 0,
  pageTimeoutMs: 60_000,
  memoryLimitBytes: Infinity,
  modelsDir: '',
  modelPack: 'good',
  entry: new URL('./stubbed-engine-process.ts', import.meta.url),
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
await engine.whenReady();
await engine.read(Buffer.from(`gate:${port}`), { maxSide: 1 }, new AbortController().signal);
