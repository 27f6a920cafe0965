import { OcrError } from '../errors.ts';
import type { S3Objects } from '../source/s3-objects.ts';
import type { JobSource } from './job.ts';
import type { Batch, WorkStore } from './work-store.ts';

/** Most bytes of a line of a manifest: an address has 8,192 characters at most, and JSON may escape each with six. */
const LONGEST_LINE = 65_536;

/** Bytes that are read for each line that is wanted; those that were not enough are asked for again. */
const BYTES_A_LINE = 512;

/** Most of a bad line that is shown for it. */
const SHOWN_OF_LINE = 200;

/** Finds the next pictures of a job, never more than are asked for: nothing of a source is read before it is needed. */
export type FindPictures = (id: string, source: JobSource, cursor: string, most: number) => Promise<Batch>;

export function createFindPictures(
  store: Pick<WorkStore, 'listed'>,
  s3: Pick<S3Objects, 'list' | 'slice'>,
): FindPictures {
  return async (id, source, cursor, most) => {
    switch (source.kind) {
      case 'list': {
        const from = Number(cursor);
        const sources = await store.listed(id, from, most);
        return { sources, cursor: String(from + sources.length), atEnd: sources.length < most };
      }
      case 'prefix': {
        const { keys, more } = await s3.list(source.bucket, source.prefix, cursor, most);
        // What ends with a slash stands for a folder in the consoles of S3 and holds nothing.
        const sources = keys.filter((key) => !key.endsWith('/')).map((key) => `s3://${source.bucket}/${key}`);
        return { sources, cursor: keys.at(-1) ?? cursor, atEnd: !more };
      }
      case 'manifest':
        return findInManifest(s3, source, cursor, most);
    }
  };
}

async function findInManifest(
  s3: Pick<S3Objects, 'slice'>,
  { bucket, key }: Extract<JobSource, { kind: 'manifest' }>,
  cursor: string,
  most: number,
): Promise<Batch> {
  const space = cursor.indexOf(' ');
  const offset = Number(cursor.slice(0, Math.max(space, 0)));
  const etag = cursor.slice(space + 1);
  for (const bytes of [Math.min(most * BYTES_A_LINE, LONGEST_LINE), 2 * LONGEST_LINE]) {
    const slice = await s3.slice(bucket, key, offset, bytes, etag);
    const isLast = offset + slice.bytes.length >= slice.size;
    const { lines, length } = firstLines(slice.bytes, most, isLast);
    if (length === 0 && !isLast) continue;
    const end = offset + length;
    const sources = lines.filter((line) => line.trim() !== '').map(sourceOfLine);
    return { sources, cursor: `${end} ${slice.etag}`, atEnd: end >= slice.size };
  }
  throw new OcrError(
    'INVALID_REQUEST',
    `A line of the manifest in \`source\` is longer than ${LONGEST_LINE} bytes: each is to hold the address of one picture.`,
  );
}

/** Whole lines only, unless the object ends with the last. `length`: the bytes that they take. */
function firstLines(bytes: Buffer, most: number, isLast: boolean): { lines: string[]; length: number } {
  const lines: string[] = [];
  let at = 0;
  while (lines.length < most && at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 && !isLast) break;
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.toString('utf8', at, next));
    at = next;
  }
  return { lines, length: at };
}

/** A line that says nothing is a picture that fails, so that it is heard of. */
function sourceOfLine(line: string): string {
  const text = line.trim();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null && 'url' in value && typeof value.url === 'string')
      return value.url;
  } catch {
    // Not JSON: a plain list of addresses, one a line, is taken as well.
  }
  return text.slice(0, /^(s3|https?):/i.test(text) ? LONGEST_LINE : SHOWN_OF_LINE);
}
