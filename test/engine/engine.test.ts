import t from 'tap';
import { OcrError } from '../../src/errors.ts';
import type { Page } from '../../src/ocr/page.ts';
import { openGate } from './gate.ts';
import { exists, imageOf, readerOf, startTestEngine, textOf, until } from './harness.ts';

/** The error of a promise that must fail. */
const failure = (promise: Promise<unknown>): Promise<OcrError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => {
      if (error instanceof OcrError) return error;
      throw error;
    },
  );

// Most of the time here is waiting for processes, which can be done side by side.
t.jobs = 3;

const echo = { do: 'echo', text: 'hello' } as const;

t.test('reads pages in warm processes, and leaves none behind', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t, { processes: 2 });
  t.equal(engine.status().ready, false, 'not before the first start');
  t.match(engine.status().processes, [{ state: 'starting' }, { state: 'starting' }]);
  t.match(await failure(read(echo)), { code: 'UNAVAILABLE', message: /starting/, retryAfterSeconds: 1 });

  await engine.whenReady();
  t.match(engine.status(), { ready: true, waiting: 0, restarts: 0, processes: { length: 2 } });
  t.strictSame(
    engine.status().processes.map(({ state, residentBytes }) => [state, residentBytes]),
    [
      ['idle', 1000],
      ['idle', 1000],
    ],
  );
  const page = await read(echo);
  t.equal(textOf(page), 'hello');
  const before = pids();
  t.ok(before.includes(readerOf(page)));

  await engine.close();
  t.strictSame(before.map(exists), [false, false]);
  t.match(engine.status(), { ready: false, processes: [] });
  t.match(await failure(read(echo)), { code: 'UNAVAILABLE', message: /shutting down/ });
});

t.test('a failure of the picture crosses as a value', { buffered: true }, async (t) => {
  const { engine, read } = startTestEngine(t);
  await engine.whenReady();
  t.match(await failure(read({ do: 'fail', code: 'INVALID_IMAGE', message: 'Damaged.', detail: 'libpng: x' })), {
    code: 'INVALID_IMAGE',
    message: 'Damaged.',
    detail: 'libpng: x',
  });
  t.equal((await failure(read({ do: 'fail', code: 'IMAGE_TOO_LARGE', message: 'Large.' }))).detail, undefined);
  t.match(engine.status(), { ready: true, restarts: 0 }, 'and costs no process');
});

t.test('a 50 MB image arrives whole', { buffered: true }, async (t) => {
  const { engine } = startTestEngine(t);
  await engine.whenReady();
  // JSON may end in white space.
  const image = Buffer.alloc(50_331_702, ' ');
  imageOf({ do: 'echo' }).copy(image);
  const page = await engine.read(image, { maxSide: 4096 }, new AbortController().signal);
  t.equal(textOf(page), '50331702');
});

t.test(
  'one page at a time in a process, the others wait their turn, and one too many is refused',
  { buffered: true },
  async (t) => {
    const gate = await openGate(t);
    const { engine, read } = startTestEngine(t, { processes: 2, queueLength: 2 });
    await engine.whenReady();
    const stop = (name: string) => read({ do: 'gate', port: gate.port, name });
    const finished: string[] = [];
    const pages = ['a', 'b', 'c', 'd'].map(async (name) => finished.push(textOf(await stop(name))));
    const first = [await gate.next(), await gate.next()];
    t.strictSame(first.map(({ name }) => name).sort(), ['a', 'b']);
    t.not(first[0].pid, first[1].pid);
    t.match(engine.status(), { waiting: 2, processes: [{ state: 'busy' }, { state: 'busy' }] });
    t.match(await failure(stop('e')), { code: 'OVERLOADED', message: /OCR_QUEUE_LENGTH/, retryAfterSeconds: 1 });

    first[0].release();
    const third = await gate.next();
    t.match(third, { name: 'c', pid: first[0].pid }, 'first come, first read');
    t.equal(engine.status().waiting, 1);
    third.release();
    const fourth = await gate.next();
    t.equal(fourth.name, 'd');
    fourth.release();
    first[1].release();
    await Promise.all(pages);
    t.strictSame(finished.slice(0, 2), [first[0].name, 'c']);
    t.match(engine.status(), { waiting: 0, restarts: 0 });
  },
);

t.test('with no queue an idle process is still used', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { queueLength: 0 });
  await engine.whenReady();
  const page = read({ do: 'gate', port: gate.port, name: 'only' });
  t.match(await failure(read(echo)), { code: 'OVERLOADED' });
  (await gate.next()).release();
  t.equal(textOf(await page), 'only');
  t.equal(textOf(await read(echo)), 'hello');
});

t.test('an aborted page leaves the queue at once', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { queueLength: 1 });
  await engine.whenReady();
  const inWork = read({ do: 'gate', port: gate.port, name: 'in work' });
  const visitor = await gate.next();

  t.match(await failure(read(echo, AbortSignal.timeout(20))), {
    code: 'DEADLINE_EXCEEDED',
    message: /stage: waiting/,
  });
  t.equal(engine.status().waiting, 0);

  const caller = new AbortController();
  const left = failure(read(echo, caller.signal));
  t.equal(engine.status().waiting, 1, 'its place was free for the next');
  caller.abort();
  t.match(await left, { code: 'UNAVAILABLE', message: /stage: waiting/ });
  t.equal(engine.status().waiting, 0);

  t.match(await failure(read(echo, AbortSignal.abort())), { code: 'UNAVAILABLE' }, 'aborted before it came');
  const own = new OcrError('SOURCE_UNAVAILABLE', 'The origin is gone.');
  t.equal(await failure(read(echo, AbortSignal.abort(own))), own, 'a reason that is an answer is the answer');

  visitor.release();
  t.equal(textOf(await inWork), 'in work');
});

t.test(
  'a page aborted while it is read is answered at once and keeps its process until it is done',
  { buffered: true },
  async (t) => {
    const gate = await openGate(t);
    const { engine, read } = startTestEngine(t);
    await engine.whenReady();
    const caller = new AbortController();
    const answer = failure(read({ do: 'gate', port: gate.port, name: 'left' }, caller.signal));
    const visitor = await gate.next();
    caller.abort(new DOMException('too late', 'TimeoutError'));
    t.match(await answer, { code: 'DEADLINE_EXCEEDED', message: /stage: reading/ });

    const next = read(echo);
    t.match(engine.status(), { waiting: 1, processes: [{ state: 'busy', pid: visitor.pid }] });
    visitor.release();
    t.equal(readerOf(await next), visitor.pid);
    t.equal(engine.status().restarts, 0);
  },
);

t.test(
  'a page that passes its deadline is killed with its process, and another process follows',
  { buffered: true },
  async (t) => {
    const { engine, read, pids, logged } = startTestEngine(t, { pageTimeoutMs: 1000 });
    await engine.whenReady();
    const [pid] = pids();
    const hanging = failure(read({ do: 'hang' }));
    const waiting = read(echo);
    t.match(await hanging, { code: 'DEADLINE_EXCEEDED', message: /1000 ms \(stage: reading\).*OCR_PAGE_TIMEOUT_MS/ });
    const page = await waiting;
    t.equal(textOf(page), 'hello', 'the next page is read');
    t.not(readerOf(page), pid);
    t.equal(exists(pid), false);
    t.match(engine.status(), { restarts: 1, restartsBy: { death: 0, deadline: 1, memory: 0 } });
    t.match(logged, [{ level: 'warn', fields: { pid, timeoutMs: 1000 } }]);
  },
);

t.test(
  'an outcome that comes after the deadline does not bring the killed process back',
  { buffered: true },
  async (t) => {
    const { engine, read, pids } = startTestEngine(t, { pageTimeoutMs: 100 });
    await engine.whenReady();
    const [pid] = pids();
    const late = failure(read(echo));
    // Nothing is heard here while the process answers; then the timer comes first (Node runs timers before I/O).
    const start = performance.now();
    while (performance.now() - start < 500);
    t.match(await late, { code: 'DEADLINE_EXCEEDED' });
    let listed = false;
    await until(() => {
      listed ||= pids().includes(pid);
      return !exists(pid);
    });
    t.equal(listed, false);
  },
);

t.test('an aborted page does not outlive its deadline either', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t, { pageTimeoutMs: 1000 });
  await engine.whenReady();
  const [pid] = pids();
  t.match(await failure(read({ do: 'hang' }, AbortSignal.timeout(50))), { code: 'DEADLINE_EXCEEDED' });
  t.ok(exists(pid));
  t.not(readerOf(await read(echo)), pid);
  t.equal(exists(pid), false);
});

t.test('a page whose process dies is read again by another', { buffered: true }, async (t) => {
  const { engine, read, pids, logged } = startTestEngine(t);
  await engine.whenReady();
  const [pid] = pids();
  const answered: string[] = [];
  const note = (page: Page): Page => {
    answered.push(textOf(page));
    return page;
  };
  const [page] = await Promise.all([read({ do: 'crash-once' }).then(note), read(echo).then(note)]);
  t.strictSame(answered, ['second try', 'hello'], 'before those that came after it');
  t.not(readerOf(page), pid);
  t.equal(exists(pid), false);
  t.match(engine.status(), { restarts: 1, restartsBy: { death: 1, deadline: 0, memory: 0 } });
  t.match(logged, [{ level: 'error', fields: { pid, reason: /SIGKILL/, wasReady: true, pagesRead: 0 } }]);
});

t.test(
  'a page that takes two processes with it is given up, and the others are read',
  { buffered: true },
  async (t) => {
    const { engine, read } = startTestEngine(t, { processes: 2 });
    await engine.whenReady();
    const deadly = failure(read({ do: 'crash' }));
    const others = Promise.all([read(echo), read(echo), read(echo)]);
    t.match(await deadly, {
      code: 'ENGINE_CRASHED',
      message: /2 engine processes ended.*the picture may be the cause/,
    });
    t.strictSame((await others).map(textOf), ['hello', 'hello', 'hello']);
    await until(() => engine.status().restarts === 2);
    t.equal(textOf(await read(echo)), 'hello');
  },
);

t.test('a process that hangs up without ending is killed', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t, { processes: 2 });
  await engine.whenReady();
  const before = pids();
  t.match(await failure(read({ do: 'hang-up' })), { code: 'ENGINE_CRASHED', message: /the picture may be the cause/ });
  t.strictSame(before.map(exists), [false, false]);
});

t.test('a page that nobody waits for any more is not tried again', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t);
  await engine.whenReady();
  const caller = new AbortController();
  const answer = failure(read({ do: 'gate-and-crash', port: gate.port, name: 'deadly' }, caller.signal));
  const visitor = await gate.next();
  caller.abort();
  t.match(await answer, { code: 'UNAVAILABLE' });
  visitor.release();
  t.equal(textOf(await read(echo)), 'hello');
  t.equal(engine.status().restarts, 1);
});

t.test('a process that dies between two pages costs no page', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t);
  await engine.whenReady();
  const [pid] = pids();
  process.kill(pid, 'SIGKILL');
  const page = await read(echo);
  t.equal(textOf(page), 'hello', 'though it was sent to the dead one');
  t.not(readerOf(page), pid);
  t.equal(engine.status().restarts, 1);
});

t.test('outcomes that nobody waits for are ignored', { buffered: true }, async (t) => {
  const { engine, read } = startTestEngine(t);
  await engine.whenReady();
  t.equal(textOf(await read({ do: 'stutter' })), 'right');
  t.equal(textOf(await read(echo)), 'hello');
});

t.test('an image that cannot be sent is refused, and the engine goes on', { buffered: true }, async (t) => {
  const { engine, read } = startTestEngine(t);
  await engine.whenReady();
  const image = new Uint8Array(new SharedArrayBuffer(8));
  const options = { maxSide: 4096, hook: () => undefined };
  t.match(await failure(engine.read(image, options, new AbortController().signal)), { code: 'ENGINE_CRASHED' });
  t.equal(textOf(await read(echo)), 'hello');
});

t.test('a process that grew is replaced between two pages, while it goes on working', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read, pids, logged } = startTestEngine(t, {
    processes: 2,
    memoryLimitBytes: 2000,
    modelPack: `gate:${gate.port}`,
  });
  const first = [await gate.next(), await gate.next()];
  for (const visitor of first) visitor.release();
  await engine.whenReady();

  const other = read({ do: 'gate', port: gate.port, name: 'other' });
  const reading = await gate.next();
  const grown = readerOf(await read({ do: 'grow', bytes: 2001 }));
  t.not(grown, reading.pid);
  const successor = await gate.next();
  reading.release();
  await other;
  t.match(engine.status(), { ready: true, processes: { length: 3 } });
  t.equal(engine.status().processes.find(({ pid }) => pid === successor.pid)?.state, 'starting');
  t.match(logged, [{ level: 'info', fields: { pid: grown, residentBytes: 2001 }, message: /will be replaced/ }]);

  const pages = await Promise.all([read({ do: 'grow', bytes: 3000 }), read({ do: 'grow', bytes: 3000 })]);
  t.strictSame(pages.map(readerOf).sort(), first.map(({ pid }) => pid).sort(), 'both old ones still read');
  t.match(engine.status(), { processes: { length: 3 } }, 'one replacement at a time');

  successor.release();
  const second = await gate.next();
  t.equal(exists(grown), false, 'the next replacement begins when the first is over');
  t.match(engine.status(), { ready: true, processes: { length: 3 } });
  second.release();
  await until(() => engine.status().processes.every(({ residentBytes }) => residentBytes === 1000));
  t.strictSame(pids().sort(), [successor.pid, second.pid].sort());
  t.match(engine.status(), { restarts: 2, restartsBy: { death: 0, deadline: 0, memory: 2 } });
  await until(() => first.every(({ pid }) => !exists(pid)));
  t.match(await Promise.all([read(echo), read(echo)]), [{ height: 1 }, { height: 1 }]);
  t.equal(logged.filter(({ level }) => level !== 'info').length, 0, 'nothing of it is an error');
});

t.test('a busy process is not replaced before its page is done', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read } = startTestEngine(t, { memoryLimitBytes: 2000, modelPack: `gate:${gate.port}` });
  (await gate.next()).release();
  await engine.whenReady();
  const grown = readerOf(await read({ do: 'grow', bytes: 2001 }));
  const successor = await gate.next();
  const page = read({ do: 'gate', port: gate.port, name: 'page' });
  const reading = await gate.next();
  t.equal(reading.pid, grown);
  successor.release();
  await until(() => engine.status().processes.every(({ state }) => state !== 'starting'));
  const next = read(echo);
  t.match(engine.status(), { waiting: 1, processes: [{ state: 'busy', pid: grown }, { state: 'idle' }] });
  reading.release();
  t.equal(readerOf(await page), grown);
  t.equal(readerOf(await next), successor.pid);
});

t.test(
  'a grown process that dies is followed by the successor that warms up already',
  { buffered: true },
  async (t) => {
    const gate = await openGate(t);
    const { engine, read, pids } = startTestEngine(t, { memoryLimitBytes: 2000, modelPack: `gate:${gate.port}` });
    (await gate.next()).release();
    await engine.whenReady();
    const grown = readerOf(await read({ do: 'grow', bytes: 2001 }));
    const successor = await gate.next();
    process.kill(grown, 'SIGKILL');
    await until(() => !engine.status().ready);
    t.strictSame(pids(), [successor.pid]);
    const page = read(echo);
    successor.release();
    t.equal(readerOf(await page), successor.pid);
    t.match(engine.status(), { ready: true, restarts: 1 });
  },
);

t.test(
  'five deaths in a minute: not ready until every process has read the sample again',
  { buffered: true },
  async (t) => {
    const gate = await openGate(t);
    const { engine, read, pids } = startTestEngine(t, { processes: 2, modelPack: `gate:${gate.port}` });
    for (let i = 0; i < 2; i++) (await gate.next()).release();
    await engine.whenReady();
    const death = async () => {
      // A process that has done a page is followed at once.
      const pid = readerOf(await read(echo));
      process.kill(pid, 'SIGKILL');
      return gate.next();
    };
    for (let i = 0; i < 4; i++) {
      const successor = await death();
      t.equal(engine.status().ready, true, `after death ${i + 1} the other process works`);
      successor.release();
      await until(() => engine.status().processes.every(({ state }) => state === 'idle'));
    }
    const last = await death();
    t.equal(engine.status().ready, false);
    t.equal(textOf(await read(echo)), 'hello', 'what still comes is read if it can be');
    for (const pid of pids().filter((pid) => pid !== last.pid)) process.kill(pid, 'SIGKILL');
    const other = await gate.next();
    t.match(await failure(read(echo)), { code: 'UNAVAILABLE', message: /died again and again/, retryAfterSeconds: 5 });
    last.release();
    other.release();
    await until(() => engine.status().ready);
    t.equal(engine.status().restarts, 6);
  },
);

t.test(
  'an engine that cannot start says why, goes on trying slowly, and can be closed',
  { buffered: true },
  async (t) => {
    const start = performance.now();
    const { engine, read, logged } = startTestEngine(t, { modelPack: 'fails' });
    await t.rejects(engine.whenReady(), {
      message: /failed to start 3 times: the models are damaged \(exited with code 1\)/,
    });
    t.equal(logged.filter(({ fields }) => /damaged/.test(String(fields.reason))).length, 3);
    t.match(await failure(read(echo)), { code: 'UNAVAILABLE', message: /starting/ });
    t.ok(performance.now() - start >= 1000, 'the third start came a second after the second');
    const { restarts } = engine.status();
    await engine.close();
    t.equal(engine.status().restarts, restarts);
    t.strictSame(engine.status().processes, []);
  },
);

t.test('a process that dies, or hangs, before it is ready counts as not started', { buffered: true }, async (t) => {
  const dying = startTestEngine(t, { modelPack: 'dies' });
  const hanging = startTestEngine(t, { modelPack: 'silent', startTimeoutMs: 500 });
  const missing = startTestEngine(t, { entry: new URL('./no-such-file.ts', import.meta.url) });
  await Promise.all([
    t.rejects(dying.engine.whenReady(), { message: /3 times: exited with code 7/ }),
    t.rejects(hanging.engine.whenReady(), { message: /3 times: was not ready after 500 ms \(ended by SIGKILL\)/ }),
    t.rejects(missing.engine.whenReady(), { message: /3 times: exited with code 1/ }),
  ]);
  t.match(
    missing.logged.map(({ fields }) => fields.line).join('\n'),
    /Cannot find module/,
    'its last words are in the log',
  );
});

t.test('one failed start is not the end', { buffered: true }, async (t) => {
  const { engine, read } = startTestEngine(t, { processes: 2, modelPack: 'fails-once' });
  await engine.whenReady();
  t.match(engine.status(), { ready: true, restarts: 1 });
  t.equal(textOf(await read(echo)), 'hello');
});

t.test('close finishes what was accepted, and refuses the rest', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read, pids } = startTestEngine(t);
  await engine.whenReady();
  const [pid] = pids();
  const inWork = read({ do: 'gate', port: gate.port, name: 'in work' });
  const waiting = read(echo);
  const visitor = await gate.next();
  const closed = engine.close();
  t.equal(engine.close(), closed, 'twice is once');
  t.equal(engine.status().ready, false);
  t.match(await failure(read(echo)), { code: 'UNAVAILABLE', message: /shutting down/ });
  visitor.release();
  t.strictSame([textOf(await inWork), textOf(await waiting)], ['in work', 'hello']);
  await closed;
  t.equal(exists(pid), false);
});

t.test('close makes good a death while it drains', { buffered: true }, async (t) => {
  const { engine, read } = startTestEngine(t);
  await engine.whenReady();
  const page = read({ do: 'crash-once' });
  await engine.close();
  t.equal(textOf(await page), 'second try');
});

t.test('close rejects what is not done in its time, and kills', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t, { closeGraceMs: 100 });
  await engine.whenReady();
  const [pid] = pids();
  const answers = [failure(read({ do: 'hang' })), failure(read(echo))];
  await engine.close();
  t.equal(exists(pid), false);
  for (const answer of answers) t.match(await answer, { code: 'UNAVAILABLE', message: /shutting down/ });
});

t.test('close does not wait for a page that nobody waits for', { buffered: true }, async (t) => {
  const { engine, read, pids } = startTestEngine(t);
  await engine.whenReady();
  const [pid] = pids();
  await failure(read({ do: 'hang' }, AbortSignal.timeout(20)));
  const start = performance.now();
  await engine.close();
  t.ok(performance.now() - start < 5000);
  t.equal(exists(pid), false);
});

t.test('close kills a process that does not leave when asked', { buffered: true }, async (t) => {
  const { engine, pids } = startTestEngine(t, { processes: 2, modelPack: 'deaf' });
  await engine.whenReady();
  const before = pids();
  await engine.close();
  t.strictSame(before.map(exists), [false, false]);
});

t.test('close while starting', { buffered: true }, async (t) => {
  const { engine, pids } = startTestEngine(t, { processes: 2, modelPack: 'silent' });
  const before = pids();
  t.equal(before.length, 2);
  await engine.close();
  t.strictSame(before.map(exists), [false, false]);
  await t.rejects(engine.whenReady(), { message: /closed before it was ready/ });
});

t.test('close during a replacement ends all three', { buffered: true }, async (t) => {
  const gate = await openGate(t);
  const { engine, read, pids } = startTestEngine(t, {
    processes: 2,
    memoryLimitBytes: 2000,
    modelPack: `gate:${gate.port}`,
  });
  for (let i = 0; i < 2; i++) (await gate.next()).release();
  await engine.whenReady();
  await read({ do: 'grow', bytes: 2001 });
  await gate.next();
  const before = pids();
  t.equal(before.length, 3);
  await engine.close();
  t.strictSame(before.map(exists), [false, false, false]);
});

t.test('a process gets no secrets, and what it prints is logged in bounded lines', { buffered: true }, async (t) => {
  process.env.OCR_TEST_SECRET = 'secret';
  t.teardown(() => delete process.env.OCR_TEST_SECRET);
  const { engine, read, pids, logged } = startTestEngine(t, { environment: { LANG: 'C.UTF-8' } });
  await engine.whenReady();
  const environment = JSON.parse(textOf(await read({ do: 'environment' }))) as Record<string, string>;
  t.match(environment, { ORT_DISABLE_TELEMETRY: '1', MALLOC_ARENA_MAX: '1', LANG: 'C.UTF-8' });
  t.strictSame(
    ['OCR_TEST_SECRET', 'HOME', 'PATH'].filter((name) => name in environment),
    [],
  );

  const pid = pids()[0];
  await read({ do: 'print', text: `one\n\n${'x'.repeat(100_000)}\nthree` });
  await engine.close();
  const lines = () => logged.filter(({ message }) => message === 'engine process output');
  await until(() => lines().length === 3);
  t.strictSame(
    lines().map(({ fields }) => [fields.pid, fields.line]),
    [
      [pid, 'one'],
      [pid, 'x'.repeat(2000)],
      [pid, 'three'],
    ],
  );
});

t.test(
  'many pages, some deadly, some slow: each is answered once and the rest is read',
  { buffered: true },
  async (t) => {
    const { engine, read, pids } = startTestEngine(t, { processes: 3, queueLength: 100, pageTimeoutMs: 1000 });
    await engine.whenReady();
    const seen = new Set(pids());
    const pages: Promise<Page | OcrError>[] = [];
    for (let i = 0; i < 60; i++) {
      const command = i === 20 ? { do: 'crash' as const } : i === 40 ? { do: 'hang' as const } : echo;
      pages.push(read(command).catch((error: OcrError) => error));
    }
    const answers = await Promise.all(pages);
    t.match(answers[20], { code: 'ENGINE_CRASHED' });
    t.match(answers[40], { code: 'DEADLINE_EXCEEDED' });
    t.equal(answers.filter((answer) => !(answer instanceof OcrError) && textOf(answer) === 'hello').length, 58);
    for (const pid of pids()) seen.add(pid);
    await engine.close();
    t.strictSame([...seen].filter(exists), []);
  },
);
