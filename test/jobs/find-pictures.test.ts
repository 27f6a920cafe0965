import t from 'tap';
import { createFindPictures } from '../../src/jobs/find-pictures.ts';
import type { JobSource } from '../../src/jobs/job.ts';
import type { S3Objects } from '../../src/source/s3-objects.ts';

const MANIFEST: JobSource = { kind: 'manifest', bucket: 'scans', key: 'list.jsonl' };

/** An object that is read in slices, as S3 gives them. */
function objectOf(text: string, seen: number[] = []): Pick<S3Objects, 'slice' | 'list'> {
  const bytes = Buffer.from(text);
  return {
    list: () => Promise.reject(new Error('nothing is to be listed')),
    async slice(_bucket, _key, offset, most, etag) {
      seen.push(most);
      t.equal(etag, offset === 0 ? '' : 'v1', 'pinned to the object that was begun');
      return { bytes: bytes.subarray(offset, offset + most), size: bytes.length, etag: 'v1' };
    },
  };
}

/** Every picture of a source, `most` at a time. */
async function walk(s3: Pick<S3Objects, 'slice' | 'list'>, source: JobSource, most: number): Promise<string[]> {
  const find = createFindPictures({ listed: async () => [] }, s3);
  const found: string[] = [];
  for (let cursor = ''; ;) {
    const batch = await find('id', source, cursor, most);
    t.ok(batch.sources.length <= most, 'never more than were asked for');
    found.push(...batch.sources);
    if (batch.atEnd) return found;
    t.not(batch.cursor, cursor, 'it goes on');
    cursor = batch.cursor;
  }
}

t.test('a manifest, in every form of a line', async (t) => {
  const text = '{"url":"s3://a/1.png","more":1}\n"https://b/2.png"\n\n  https://c/3 .png \r\ns3://d/四.png\n{"no":1}';
  for (const most of [1, 2, 100]) {
    t.strictSame(
      await walk(objectOf(text), MANIFEST, most),
      ['s3://a/1.png', 'https://b/2.png', 'https://c/3 .png', 's3://d/四.png', '{"no":1}'],
      `${most} at a time`,
    );
  }
  t.strictSame(await walk(objectOf(''), MANIFEST, 5), [], 'an empty one');
  t.strictSame(await walk(objectOf('\n\n'), MANIFEST, 5), [], 'empty lines');
});

t.test('a manifest of many lines gives every one once, in few bytes at a time', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, i) => `s3://scans/${'x'.repeat(i % 90)}/${i}.png`);
  const seen: number[] = [];
  t.strictSame(await walk(objectOf(lines.join('\n'), seen), MANIFEST, 37), lines);
  t.ok(Math.max(...seen) <= 131_072, `at most ${Math.max(...seen)} bytes`);
});

t.test('lines of 60 kB are read, longer ones refused', async (t) => {
  const long = `https://a/${'x'.repeat(60_000)}`;
  t.strictSame(await walk(objectOf(`${long}\ns3://a/b\n`), MANIFEST, 1), [long, 's3://a/b']);
  await t.rejects(walk(objectOf(`${'y'.repeat(140_000)}\n`), MANIFEST, 1), {
    code: 'INVALID_REQUEST',
    message: /65536/,
  });
});

t.test('a prefix is listed from key to key, without what stands for folders', async (t) => {
  const keys = ['in/', 'in/a.png', 'in/b/', 'in/b/c.png', 'in/d.png'];
  const s3: Pick<S3Objects, 'slice' | 'list'> = {
    slice: () => Promise.reject(new Error('nothing is to be read')),
    async list(bucket, prefix, after, most) {
      t.strictSame([bucket, prefix], ['scans', 'in/']);
      const left = keys.filter((key) => key > after);
      return { keys: left.slice(0, most), more: left.length > most };
    },
  };
  const expected = ['s3://scans/in/a.png', 's3://scans/in/b/c.png', 's3://scans/in/d.png'];
  for (const most of [1, 2, 3, 1000]) {
    t.strictSame(
      await walk(s3, { kind: 'prefix', bucket: 'scans', prefix: 'in/' }, most),
      expected,
      `${most} at a time`,
    );
  }
});
