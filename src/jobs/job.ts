import type { AskedReading } from '../formats/read-choices.ts';

/** Where the pictures of a job come from. A list is kept in the queue; the others are read from S3 as they are needed. */
export type JobSource =
  | { readonly kind: 'list' }
  | { readonly kind: 'prefix'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'manifest'; readonly bucket: string; readonly key: string };

/** A place in S3; `prefix` is empty or ends with `/`. */
export interface JobOutput {
  readonly bucket: string;
  readonly prefix: string;
}

export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What to read, how, and what to do with it. Never changes once the job is there. */
export interface JobSpec {
  readonly source: JobSource;
  readonly options: AskedReading & {
    readonly minScore?: number | undefined;
    readonly pages: { readonly first: number; readonly last?: number | undefined };
  };
  /** Absent: results are kept in the queue for a time. */
  readonly output?: JobOutput | undefined;
  /** Told once when the job has ended. */
  readonly webhook?: string | undefined;
  readonly priority: Priority;
  /** Whoever gave the job, as `Authority.identify` names them; nobody else sees it. Empty: no keys are set. */
  readonly owner: string;
  /** SHA-256 of the request, to tell another one with the same idempotency key. */
  readonly digest: string;
  /** W3C Trace Context of the request that gave the job. */
  readonly traceparent?: string | undefined;
}

/**
 * `queued`: nothing was handed out yet. `finishing`: every picture is settled, the rest of the index is being written.
 * `failed`: the source could not be read to its end, or too many pictures failed; `done` may have failed pictures, too.
 */
export const JOB_STATES = ['queued', 'running', 'finishing', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A failure as callers see it. */
export interface PublicError {
  readonly code: string;
  readonly message: string;
}

/** A job as it is now. Times are milliseconds since 1970. */
export interface JobStatus {
  readonly id: string;
  readonly state: JobState;
  readonly spec: JobSpec;
  /** Pictures found so far; all there are once `listed`. */
  readonly found: number;
  readonly listed: boolean;
  readonly done: number;
  readonly failed: number;
  /** Pages read; a picture may have several. */
  readonly pages: number;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Pictures a second of late; undefined before there is anything to tell it from. */
  readonly rate: number | undefined;
  /** Why the job as a whole failed. */
  readonly error: PublicError | undefined;
  readonly webhook: 'none' | 'waiting' | 'delivered' | 'failed';
  /** How often the failed pictures were given another chance. */
  readonly round: number;
}

/** What became of a picture: one line of the index. */
export interface PictureResult {
  /** In the order of the source, from 0. */
  readonly index: number;
  readonly source: string;
  readonly status: 'done' | 'failed';
  /** Where the result was written. */
  readonly output?: string;
  readonly pages?: number;
  readonly lines?: number;
  /** The document, where results are kept in the queue. */
  readonly document?: object;
  readonly error?: PublicError;
  /** How often it was begun, for failed ones. */
  readonly tries?: number;
}

/**
 * Pictures that share a part of the index and a hash in the queue. A multiple of 8, because a part's settled pictures are
 * counted as bytes of a bitmap; 1,024 lines of some 200 bytes make parts of 200 kB.
 */
export const PART_SIZE = 1024;
