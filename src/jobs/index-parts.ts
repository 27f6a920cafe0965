import type { S3Objects } from '../source/s3-objects.ts';
import type { JobOutput, JobStatus, PictureResult } from './job.ts';
import { indexKey } from './output-keys.ts';
import type { WorkStore } from './work-store.ts';

/** Most bytes of a part: 1,024 results with addresses and messages of their greatest length. */
const MAX_PART_BYTES = 33_554_432;

/** Reads a part of a job's index out of S3; empty where it was not written yet. */
export async function readIndexPart(
  s3: Pick<S3Objects, 'read'>,
  output: JobOutput,
  id: string,
  part: number,
): Promise<Map<number, PictureResult>> {
  const bytes = await s3.read(output.bucket, indexKey(output, id, part), MAX_PART_BYTES);
  const lines =
    bytes === undefined
      ? []
      : bytes
          .toString('utf8')
          .split('\n')
          .filter((line) => line !== '');
  const results = lines.map((line) => JSON.parse(line) as PictureResult);
  return new Map(results.map((result) => [result.index, result]));
}

/**
 * Writes what the queue has of a part into the index and forgets it there. May be done again and by several at once: what
 * is written is always the part as it stands in the index, with what the queue has in place of it.
 */
export async function writeIndexPart(
  parts: { readonly store: Pick<WorkStore, 'part' | 'dropWritten'>; readonly s3: Pick<S3Objects, 'read' | 'write'> },
  { id, spec, round }: Pick<JobStatus, 'id' | 'spec' | 'round'>,
  part: number,
): Promise<void> {
  const { output } = spec;
  if (output === undefined) return;
  const { results, stored } = await parts.store.part(id, part);
  if (results.length === 0) return;
  // Only pictures that were tried again come into a part that is there.
  const merged = round > 0 ? await readIndexPart(parts.s3, output, id, part) : new Map<number, PictureResult>();
  for (const result of results) merged.set(result.index, result);
  const sorted = [...merged.values()].sort((a, b) => a.index - b.index);
  const body = sorted.map((result) => `${JSON.stringify(result)}\n`).join('');
  await parts.s3.write(output.bucket, indexKey(output, id, part), body, 'application/jsonl');
  await parts.store.dropWritten(id, part, stored);
}
