import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const SERVER = fileURLToPath(new URL('../src/server.ts', import.meta.url));

/** Starts the service and waits until it has ended by itself. */
async function runServer(env: Record<string, string>): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

t.test('faults of the settings: every one on standard error, exit 2', async (t) => {
  const { code, out, err } = await runServer({ PORT: 'x', OCR_MAX_SIDE: '1' });
  t.equal(code, 2);
  t.equal(err, 'The settings are not valid:\n  PORT must be integer, not "x"\n  OCR_MAX_SIDE must be >= 32, not "1"\n');
  t.equal(out, '', 'nothing was started');
});

t.test('a fault that the image loader finds: exit 2 as well', async (t) => {
  const { code, err } = await runServer({ OCR_SOURCE_ALLOW: '10.0.0.0/99' });
  t.equal(code, 2);
  t.match(err, /^The settings are not valid:\n {2}OCR_SOURCE_ALLOW/);
});

t.test('an engine that cannot start: the reason in the log, exit 1', async (t) => {
  const { code, out } = await runServer({
    HOST: '127.0.0.1',
    PORT: '0',
    OCR_ENGINE_PROCESSES: '1',
    OCR_MODELS_DIR: path.join(t.testdir({}), 'missing'),
    OCR_CORS: '*',
  });
  t.equal(code, 1);
  const entries = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(
    entries.find(({ level }) => level === 60),
    { msg: 'the engine cannot start', err: { message: /./ } },
  );
  t.match(
    entries.find(({ level }) => level === 40),
    { setting: 'OCR_CORS', consequence: /web site/ },
    'settings that weaken a promise are said at start',
  );
});
