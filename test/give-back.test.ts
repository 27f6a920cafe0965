import t from 'tap';
import { giveBack } from '../src/give-back.ts';

t.test('large memory is gone at once, for every view of it', async (t) => {
  const bytes = Buffer.alloc(50_000_000, 1);
  const part = bytes.subarray(10, 20);
  const before = process.memoryUsage().arrayBuffers;
  giveBack(part);
  t.strictSame([bytes.length, part.length], [0, 0]);
  t.ok(before - process.memoryUsage().arrayBuffers >= 50_000_000);
  giveBack(bytes);
  t.equal(bytes.length, 0, 'a second call does nothing');
});

t.test('memory that can grow is gone whatever its size', async (t) => {
  const bytes = new Uint8Array(new ArrayBuffer(16, { maxByteLength: 1_000_000 }));
  giveBack(bytes);
  t.equal(bytes.length, 0);
});

t.test('small buffers, which may share their memory, are left alone', async (t) => {
  const [one, other] = [Buffer.from('one'), Buffer.from('other')];
  giveBack(one);
  giveBack(new Uint8Array(new SharedArrayBuffer(2_000_000)));
  t.strictSame([one.toString(), other.toString()], ['one', 'other']);
});
