import { readSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Number of the pipe in an engine process, behind standard input, output and error and the channel for messages. */
const PIPE = 4;

/** About what the system takes at once (`net.core.wmem_default` of Linux is 208 KiB). */
const STEP_BYTES = 131_072;

const write = (pipe: Writable, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    pipe.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

/**
 * Sends a picture to an engine process, beside the channel for messages: that would make a copy of the whole picture
 * here and three there, and hold the event loop for 40 ms with 50 MB (measured).
 *
 * Nothing writes from `image` itself, so its memory may be given back at any time. Nobody wants the answer then, and the
 * process gets the number of bytes that it waits for.
 *
 * @throws the system's error when the process is gone
 */
export async function sendPicture(pipe: Writable, image: Uint8Array): Promise<void> {
  const { length } = image;
  const block = Buffer.alloc(Math.min(STEP_BYTES, length));
  for (let at = 0; at < length; at += STEP_BYTES) {
    const size = Math.min(STEP_BYTES, length - at);
    if (image.length > 0) block.set(image.subarray(at, at + size));
    await write(pipe, block.subarray(0, size));
  }
}

/**
 * Takes a picture in an engine process, which has nothing else to do: it waits until all of it is there.
 *
 * @throws {Error} if the server process is gone
 */
export function receivePicture(bytes: number): Buffer {
  const picture = Buffer.allocUnsafeSlow(bytes);
  for (let length = 0; length < bytes;) {
    const read = readSync(PIPE, picture, length, bytes - length, null);
    if (read === 0) throw new Error('the server process closed the pipe for pictures');
    length += read;
  }
  return picture;
}
