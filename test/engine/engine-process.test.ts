import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Engine, startEngine } from '../../src/engine/engine.ts';
import { SAMPLE_IMAGE_BASE64, SAMPLE_LINES } from '../../src/engine/sample.ts';
import { openGate } from './gate.ts';
import { textOf } from './harness.ts';

const fileHere = (name: string) => new URL(name, import.meta.url);

function startStubbed(t: Test, modelPack: string): Engine {
  const engine = startEngine({
    processes: 1,
    queueLength: 4,
    pageTimeoutMs: 20_000,
    memoryLimitBytes: Infinity,
    modelsDir: '/models of the test',
    modelPack,
    entry: fileHere('./stubbed-engine-process.ts'),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  t.teardown(() => engine.close());
  return engine;
}

const readWord = (engine: Engine, word: string) =>
  engine.read(Buffer.from(word), { maxSide: 4096 }, new AbortController().signal);

t.test('is ready when the sample is read right, white space apart, and then reads pages', async (t) => {
  const engine = startStubbed(t, 'good');
  await engine.whenReady();
  const [{ residentBytes }] = engine.status().processes;
  t.ok(residentBytes > 10_000_000 && residentBytes < 1_000_000_000, 'reports its real memory in bytes');
  t.equal(textOf(await readWord(engine, 'word')), 'word\ngeneral-ocr-engine\n/models of the test\n4096\n1');
});

t.test('a sample that is read wrong is a failed start', async (t) => {
  const engine = startStubbed(t, 'misreads');
  await t.rejects(engine.whenReady(), { message: /the sample was read as \["General0CR"\] instead of \["通用/ });
});

t.test('models that cannot be loaded are a failed start', async (t) => {
  const engine = startStubbed(t, 'missing');
  await t.rejects(engine.whenReady(), { message: /there is no such pack \(exited with code 1\)/ });
});

t.test('failures cross as values: expected ones as they are, bugs without their text', async (t) => {
  const engine = startStubbed(t, 'good');
  await engine.whenReady();
  await t.rejects(readWord(engine, 'refuse'), {
    name: 'OcrError',
    code: 'INVALID_IMAGE',
    message: 'The picture is damaged.',
    detail: 'marker missing',
  });
  await t.rejects(readWord(engine, 'refuse briefly'), { code: 'UNSUPPORTED_FORMAT', detail: undefined });
  const bug: unknown = await readWord(engine, 'bug').catch((error: unknown) => error);
  t.match(bug, { code: 'INTERNAL', detail: /TypeError: x is undefined in \/srv\/secret\/path\n.*fake-read-page/ });
  t.notMatch(String(bug), /secret|TypeError/);
  t.match(textOf(await readWord(engine, 'next')), /^next/, 'and the process goes on');
  t.equal(engine.status().restarts, 0);
});

t.test('a signal to the whole process group does not end it: the server drains first', async (t) => {
  const gate = await openGate(t);
  const engine = startStubbed(t, 'good');
  await engine.whenReady();
  const page = readWord(engine, `gate:${gate.port}`);
  const visitor = await gate.next();
  process.kill(visitor.pid, 'SIGTERM');
  process.kill(visitor.pid, 'SIGINT');
  visitor.release();
  t.match(textOf(await page), /^gate/);
  await readWord(engine, 'next');
  t.equal(engine.status().restarts, 0);
});

t.test('it ends when its server is gone', async (t) => {
  const gate = await openGate(t);
  const server = spawn(process.execPath, [fileURLToPath(fileHere('./orphaning-server.ts')), String(gate.port)], {
    stdio: 'ignore',
  });
  t.teardown(() => server.kill('SIGKILL'));
  const visitor = await gate.next();
  t.not(visitor.pid, server.pid);
  server.kill('SIGKILL');
  // Its connection closes without having been let through.
  await visitor.left;
  t.pass('gone');
});

t.test('the real one reads the sample with the embedded models', async (t) => {
  const engine = startEngine({
    processes: 1,
    queueLength: 0,
    pageTimeoutMs: 20_000,
    memoryLimitBytes: 1_000_000_000,
    modelsDir: fileURLToPath(fileHere('../../models')),
    modelPack: 'pp-ocrv6-small-int8',
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  t.teardown(() => engine.close());
  await engine.whenReady();
  const image = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');
  const page = await engine.read(image, { maxSide: 4096 }, new AbortController().signal);
  const compact = (text: string) => text.replace(/\s/g, '');
  t.strictSame(
    page.lines.map(({ text }) => compact(text)),
    SAMPLE_LINES.map(compact),
  );
});
