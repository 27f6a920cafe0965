import type { S3Objects } from '../source/s3-objects.ts';
import { readIndexPart } from './index-parts.ts';
import { PART_SIZE, type JobStatus, type PictureResult } from './job.ts';
import type { JobStore } from './job-store.ts';

export interface ResultsPage {
  /** In the order of the source. */
  readonly results: readonly PictureResult[];
  /** Index from which to ask on; undefined once the job has ended and everything was given. */
  readonly next: number | undefined;
}

/**
 * The results from index `from` on. While the job runs a page ends before the first picture that is not settled, so that
 * whoever follows `next` gets every result once, in order. Once it has ended, gaps (of a cancelled job) are left out.
 */
export async function resultsPage(
  parts: { readonly store: Pick<JobStore, 'settled' | 'part'>; readonly s3: Pick<S3Objects, 'read'> },
  status: JobStatus,
  from: number,
  most: number,
): Promise<ResultsPage> {
  const { id, found, finishedAt } = status;
  const ended = finishedAt !== undefined;
  const settled = await parts.store.settled(id, from, Math.max(Math.min(most, found - from), 0));
  const whole = ended ? settled.length : settled.findIndex((bit) => !bit);
  const count = whole < 0 ? settled.length : whole;
  const wanted = settled.slice(0, count).flatMap((bit, i) => (bit ? [from + i] : []));
  const results = await resultsOf(parts, status, wanted);
  // Between the bitmap and the results a retry may have taken some back.
  const missing = results.findIndex((result) => result === undefined);
  const given = missing < 0 ? count : (wanted[missing] ?? from) - from;
  const next = from + given;
  return {
    results: results.slice(0, missing < 0 ? undefined : missing).filter((result) => result !== undefined),
    next: ended && next >= found ? undefined : next,
  };
}

async function resultsOf(
  { store, s3 }: Parameters<typeof resultsPage>[0],
  { id, spec }: JobStatus,
  indexes: readonly number[],
): Promise<(PictureResult | undefined)[]> {
  const byPart = new Map<number, ReadonlyMap<number, PictureResult>>();
  for (const part of new Set(indexes.map(partOf))) {
    const queued = await store.part(id, part);
    const wanted = indexes.filter((index) => partOf(index) === part);
    // The queue first: a part leaves it only when it is in S3.
    const written =
      spec.output === undefined || wanted.every((index) => queued.has(index))
        ? new Map<number, PictureResult>()
        : await readIndexPart(s3, spec.output, id, part);
    byPart.set(part, new Map([...written, ...queued]));
  }
  return indexes.map((index) => byPart.get(partOf(index))?.get(index));
}

const partOf = (index: number): number => Math.floor(index / PART_SIZE);
