import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import t from 'tap';
import { sendPicture } from '../../src/engine/picture-pipe.ts';
import { giveBack } from '../../src/give-back.ts';

/** A pipe that keeps what it was given, and tells of every piece. */
function openPipe(onPiece: () => void = () => undefined) {
  const pieces: Buffer[] = [];
  const pipe = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(Buffer.from(piece));
      onPiece();
      setImmediate(done);
    },
  });
  return { pipe, sent: () => Buffer.concat(pieces), pieces };
}

t.test('every byte is sent, in pieces', async (t) => {
  for (const length of [0, 1, 131_071, 131_072, 131_073, 1_000_000]) {
    const image = randomBytes(length);
    const { pipe, sent, pieces } = openPipe();
    await sendPicture(pipe, image);
    t.ok(sent().equals(image), `${length} bytes`);
    t.equal(pieces.length, Math.ceil(length / 131_072));
  }
});

t.test('a picture that is given back meanwhile is as long as was said', async (t) => {
  const image = Buffer.alloc(2_000_000, 1);
  const { pipe, sent } = openPipe(() => giveBack(image));
  await sendPicture(pipe, image);
  t.equal(image.length, 0);
  t.equal(sent().length, 2_000_000);
});

t.test('a pipe that breaks is an error', async (t) => {
  const { pipe } = openPipe(() => pipe.destroy(new Error('EPIPE')));
  pipe.on('error', () => undefined);
  await t.rejects(sendPicture(pipe, Buffer.alloc(1_000_000)), { code: 'ERR_STREAM_DESTROYED' });
});
