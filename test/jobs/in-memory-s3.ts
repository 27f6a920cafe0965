import { OcrError } from '../../src/errors.ts';
import type { S3Objects } from '../../src/source/s3-objects.ts';

export interface InMemoryS3 extends S3Objects {
  /** `bucket/key` -> content. */
  readonly objects: Map<string, string>;
  /** Names of the calls that fail as long as they stand here. */
  readonly broken: Set<'list' | 'read' | 'write'>;
}

/** Objects in a map, for what is about jobs and not about S3; `npm run robustness -- jobs` has a real server. */
export function inMemoryS3(): InMemoryS3 {
  const objects = new Map<string, string>();
  const broken = new Set<'list' | 'read' | 'write'>();
  const breakIf = (call: 'list' | 'read' | 'write'): void => {
    if (broken.has(call)) throw new OcrError(call === 'list' ? 'SOURCE_UNAVAILABLE' : 'UNAVAILABLE', `${call} fails`);
  };
  return {
    objects,
    broken,
    async list(bucket, prefix, after, most) {
      breakIf('list');
      const keys = [...objects.keys()]
        .filter((path) => path.startsWith(`${bucket}/${prefix}`))
        .map((path) => path.slice(bucket.length + 1))
        .filter((key) => key > after)
        .sort();
      return { keys: keys.slice(0, most), more: keys.length > most };
    },
    slice: () => Promise.reject(new Error('no manifests here')),
    async read(bucket, key) {
      breakIf('read');
      const found = objects.get(`${bucket}/${key}`);
      return found === undefined ? undefined : Buffer.from(found);
    },
    async write(bucket, key, body) {
      breakIf('write');
      objects.set(`${bucket}/${key}`, body.toString());
    },
    close: async () => undefined,
  };
}
