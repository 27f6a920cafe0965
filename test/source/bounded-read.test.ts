import { Readable } from 'node:stream';
import t from 'tap';
import { readBounded } from '../../src/source/bounded-read.ts';

const never = new AbortController().signal;

t.test('gives the bytes in order, whatever was announced', async (t) => {
  const chunks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(5000, i));
  const whole = Buffer.concat(chunks);
  for (const announcedBytes of [undefined, whole.length, 1, whole.length * 2, 0]) {
    const stream = Readable.from(chunks, { objectMode: false });
    const bytes = await readBounded(stream, { maxBytes: 1_000_000, announcedBytes, signal: never });
    t.ok(bytes.equals(whole), `announced ${announcedBytes}`);
    t.equal(stream.destroyed, true);
  }
  const empty = await readBounded(Readable.from([]), { maxBytes: 10, signal: never });
  t.equal(empty.length, 0);
});

t.test('the limit itself passes, one byte more does not', async (t) => {
  const bytes = await readBounded(Readable.from([Buffer.alloc(100)]), { maxBytes: 100, signal: never });
  t.equal(bytes.length, 100);
  const stream = Readable.from([Buffer.alloc(100), Buffer.alloc(1), Buffer.alloc(1)]);
  await t.rejects(readBounded(stream, { maxBytes: 100, signal: never }), {
    code: 'BODY_TOO_LARGE',
    message: /at least 101 bytes.* 100 bytes/,
  });
  t.equal(stream.destroyed, true);
});

t.test('tells what arrives, before it is kept; whoever counts may end the reading', async (t) => {
  const counted: number[] = [];
  const chunks = [Buffer.alloc(3), Buffer.alloc(70_000), Buffer.alloc(1)];
  const count = (bytes: number): void => void counted.push(bytes);
  await readBounded(Readable.from(chunks), { maxBytes: 100_000, signal: never, onBytes: count });
  t.equal(
    counted.reduce((sum, bytes) => sum + bytes, 0),
    70_004,
  );

  const controller = new AbortController();
  const reason = new Error('no room');
  const stream = new Readable({ read: () => stream.push(Buffer.alloc(10)) });
  const onBytes = (): void => controller.abort(reason);
  await t.rejects(readBounded(stream, { maxBytes: 100_000, signal: controller.signal, onBytes }), reason);
  t.equal(stream.destroyed, true);
});

t.test('an announced length over the limit is refused unread', async (t) => {
  let reads = 0;
  const stream = new Readable({ read: () => void reads++ });
  await t.rejects(readBounded(stream, { maxBytes: 100, announcedBytes: 101, signal: never }), {
    code: 'BODY_TOO_LARGE',
    message: / 101 bytes.* 100 bytes/,
  });
  t.equal(reads, 0);
  t.equal(stream.destroyed, true);
});

t.test('an abort ends a stalled read with its reason', async (t) => {
  const stream = new Readable({ read: () => {} });
  const controller = new AbortController();
  const reading = readBounded(stream, { maxBytes: 100, signal: controller.signal });
  const reason = new Error('deadline');
  controller.abort(reason);
  await t.rejects(reading, reason);
  t.equal(stream.destroyed, true);
  await t.rejects(readBounded(Readable.from(['a']), { maxBytes: 1, signal: controller.signal }), reason);
});

t.test('a broken stream fails with its own error', async (t) => {
  const stream = new Readable({ read: () => void stream.destroy(new Error('reset')) });
  await t.rejects(readBounded(stream, { maxBytes: 100, signal: never }), { message: 'reset' });
});

t.test('the chunks themselves are let go', async (t) => {
  const bytes = Buffer.alloc(1_000_000, 'x');
  const before = process.memoryUsage().heapUsed;
  let heapAtTheEnd = 0;
  let sent = 0;
  const stream = new Readable({
    read() {
      // As many at once as one read of a socket brings; Node's own buffering is quadratic in this number.
      const end = Math.min(sent + 10_000, bytes.length);
      while (sent < end) this.push(bytes.subarray(sent, ++sent));
      heapAtTheEnd = process.memoryUsage().heapUsed;
      if (sent === bytes.length) this.push(null);
    },
  });
  const read = await readBounded(stream, { maxBytes: bytes.length, signal: never });
  t.ok(read.equals(bytes));
  // Kept in a list they would be 100 bytes each, 100 MB in all.
  t.ok(heapAtTheEnd - before < 50_000_000, `${heapAtTheEnd - before} bytes`);
});
