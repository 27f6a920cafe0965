import t from 'tap';
import { openGate } from './gate.ts';
import { exists, readerOf, startTestEngine, textOf, until } from './harness.ts';

const echo = { do: 'echo', text: 'hello' } as const;

t.test('an idle process reads a line of a page that another one reads', async (t) => {
  const { engine, read, pids } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  for (let i = 0; i < 3; i++) {
    const page = await read({ do: 'share', line: 'answer' });
    const helper = pids().find((pid) => pid !== readerOf(page));
    t.equal(textOf(page), `${helper} read 1,2,3`);
  }
});

t.test('help comes when a process becomes idle, and not while pages wait', async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  const other = read({ do: 'gate', port: gate.port, name: 'other' });
  const reading = await gate.next();
  const shared = read({ do: 'share', line: 'answer' });
  const waiting = read({ do: 'gate', port: gate.port, name: 'waiting' });
  reading.release();
  const second = await gate.next();
  t.equal(second.name, 'waiting', 'the process that became idle took the page that waited');
  t.equal(second.pid, reading.pid);
  second.release();
  t.equal(textOf(await shared), `${reading.pid} read 1,2,3`);
  t.strictSame([textOf(await other), textOf(await waiting)], ['other', 'waiting']);
});

t.test('a process that helps is given the next page', async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { processes: 2, pageTimeoutMs: 20_000 });
  await engine.whenReady();
  const shared = read({ do: 'share', line: 'ignore', gate: gate.port });
  const visitor = await gate.next();
  const page = await read(echo);
  t.equal(String(readerOf(page)), visitor.name, 'the helper');
  visitor.release();
  t.equal(textOf(await shared), 'gate');
  t.match(engine.status(), { restarts: 0 });
});

t.test('a helper that dies costs no page', async (t) => {
  const gate = await openGate(t);
  const { engine, read, logged } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  const shared = read({ do: 'share', line: 'crash', gate: gate.port });
  const visitor = await gate.next();
  await until(() => engine.status().restarts === 1);
  t.equal(textOf(await read(echo)), 'hello', 'and another follows');
  visitor.release();
  t.equal(textOf(await shared), 'gate');
  t.match(logged, [{ level: 'error', fields: { reason: /SIGKILL/, pagesRead: 0 } }]);
});

t.test('a helper that does not answer is killed after the time of a page', async (t) => {
  const gate = await openGate(t);
  const { engine, read, logged } = startTestEngine(t, { processes: 2, pageTimeoutMs: 1000 });
  await engine.whenReady();
  const shared = read({ do: 'share', line: 'ignore', gate: gate.port });
  const visitor = await gate.next();
  visitor.release();
  t.equal(textOf(await shared), 'gate');
  await until(() => !exists(Number(visitor.name)));
  await until(() => engine.status().restarts === 1);
  t.match(logged, [{ level: 'error', fields: { reason: /did not read a line in 1000 ms/ } }]);
});

t.test('a page that has cost a process is read without help', async (t) => {
  const gate = await openGate(t);
  const { engine, read, pids } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  const shared = read({ do: 'share', line: 'ignore', gate: gate.port });
  const visitor = await gate.next();
  const reader = pids().find((pid) => String(pid) !== visitor.name);
  process.kill(reader ?? 0, 'SIGKILL');
  t.equal(textOf(await shared), 'not shared');
});

t.test('alone there is nobody to help', async (t) => {
  const { engine, read } = startTestEngine(t, { pageTimeoutMs: 300 });
  await engine.whenReady();
  await t.rejects(read({ do: 'share', line: 'answer' }), { code: 'DEADLINE_EXCEEDED' });
});

t.test('a page is told of a core to spare only if another process is idle as it begins', async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  const pages = ['first', 'second', 'third'].map((name) => read({ do: 'gate-and-spare', port: gate.port, name }));
  const [first, second] = [await gate.next(), await gate.next()];
  first.release();
  const third = await gate.next();
  for (const visitor of [second, third]) visitor.release();
  t.strictSame((await Promise.all(pages)).map(textOf), [
    'core to spare: true',
    'core to spare: false',
    'core to spare: false',
  ]);
});
