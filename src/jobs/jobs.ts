import { createHash } from 'node:crypto';
import { OcrError } from '../errors.ts';
import type { HttpPoster } from '../source/http-post.ts';
import { parseSource } from '../source/load-image.ts';
import { parseS3Prefix, parseS3Url } from '../source/s3-address.ts';
import type { S3Objects } from '../source/s3-objects.ts';
import type { JobOutput, JobSource, JobSpec, JobStatus, Priority } from './job.ts';
import type { DeadLetter, JobStore, QueueFigures } from './job-store.ts';
import { resultsPage, type ResultsPage } from './results-page.ts';

/** What a request for a job says, its options parsed. Exactly one of the first three is there. */
export interface JobRequest {
  readonly sources?: readonly string[] | undefined;
  readonly prefix?: string | undefined;
  readonly manifest?: string | undefined;
  readonly options: JobSpec['options'];
  readonly output?: string | undefined;
  readonly webhook?: string | undefined;
  readonly priority: Priority;
}

/** Who asks, and how. */
export interface Asker {
  /** Jobs of others are not there for them. */
  readonly owner: string;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** The jobs of the service, as its routes need them. Every call may fail with UNAVAILABLE while Redis does not answer. */
export interface Jobs {
  /**
   * Puts a job into the queue; the same request again, while its job has not ended or with the same idempotency key, gives
   * the job that is there.
   *
   * @throws {OcrError} INVALID_REQUEST, SOURCE_NOT_ALLOWED; CONFLICT for a key that came with another request; OVERLOADED
   */
  create(request: JobRequest, asker: Asker): Promise<{ status: JobStatus; isNew: boolean }>;
  /** @throws {OcrError} NOT_FOUND, here and below */
  status(id: string, owner: string): Promise<JobStatus>;
  results(id: string, owner: string, from: number, most: number): Promise<ResultsPage>;
  deadLetters(id: string, owner: string, from: number, most: number): Promise<DeadLetter[]>;
  /** @throws {OcrError} CONFLICT for a job that has ended */
  cancel(id: string, owner: string): Promise<JobStatus>;
  /** @throws {OcrError} CONFLICT for a job that has not ended, or that nothing failed of; OVERLOADED */
  retry(id: string, owner: string): Promise<JobStatus>;
  figures(): Promise<QueueFigures>;
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly store: JobStore;
  readonly s3: S3Objects;
  readonly poster: Pick<HttpPoster, 'check'>;
  /** Buckets that results may be written into. */
  readonly outputBuckets: readonly string[];
  /** Buckets that may be read; empty: all. */
  readonly sourceBuckets: readonly string[];
  /** Whether webhooks can be signed. */
  readonly webhooks: boolean;
  readonly maxJobs: number;
  /** Memory of Redis above which no job is taken. */
  readonly maxMemoryBytes: number;
}

/** Long enough for the workers to have done some pages; a queue of jobs does not empty in a second. */
const RETRY_SECONDS = 10;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function createJobs(options: JobsOptions): Jobs {
  const { store, s3 } = options;

  async function find(id: string, owner: string): Promise<JobStatus> {
    const status = await store.status(id);
    if (status !== undefined && status.spec.owner === owner) return status;
    throw new OcrError(
      'NOT_FOUND',
      'There is no such job: its id is wrong, it belongs to another key, or it ended so long ago that it was forgotten.',
    );
  }

  async function refuseIfFull(): Promise<void> {
    if ((await store.memoryBytes()) <= options.maxMemoryBytes) return;
    throw queueFull(
      'The queue holds as much as it may. Try again later; the operator can raise OCR_JOBS_REDIS_MEMORY_MB or start more workers.',
    );
  }

  return {
    async create(request, { owner, idempotencyKey, traceparent }) {
      const spec = { ...(await toSpec(request, options)), owner, digest: sha256(JSON.stringify(request)), traceparent };
      const fingerprint =
        idempotencyKey === undefined
          ? { hash: sha256(JSON.stringify([owner, spec.digest])), stays: false }
          : { hash: sha256(JSON.stringify([owner, 'key', idempotencyKey])), stays: true };
      await refuseIfFull();
      const made = await store.create(spec, request.sources ?? [], fingerprint);
      if (made === undefined) {
        throw queueFull(
          `${options.maxJobs} jobs have not ended yet. Try again later; the operator can raise OCR_JOBS_MAX or start more workers.`,
        );
      }
      const status = await find(made.id, owner);
      if (status.spec.digest !== spec.digest) {
        throw new OcrError(
          'CONFLICT',
          'This `idempotency-key` came with another request before. Choose a new one for a new job.',
        );
      }
      return { status, isNew: made.isNew };
    },
    status: find,
    async results(id, owner, from, most) {
      return resultsPage({ store, s3 }, await find(id, owner), from, most);
    },
    async deadLetters(id, owner, from, most) {
      await find(id, owner);
      return store.deadLetters(id, from, most);
    },
    async cancel(id, owner) {
      await find(id, owner);
      if (!(await store.cancel(id))) throw new OcrError('CONFLICT', 'The job has ended already.');
      return find(id, owner);
    },
    async retry(id, owner) {
      await find(id, owner);
      const answer = await store.retry(id);
      if (answer === 'not ended') {
        throw new OcrError(
          'CONFLICT',
          'Only a job that is done or failed can be retried. Wait until it has ended; give a cancelled one anew.',
        );
      }
      if (answer === 'nothing to do') throw new OcrError('CONFLICT', 'Nothing of this job has failed.');
      if (answer === 'queue full') throw queueFull(`${options.maxJobs} jobs have not ended yet. Try again later.`);
      return find(id, owner);
    },
    figures: () => store.figures(),
    async close() {
      store.close();
      await s3.close();
    },
  };
}

const queueFull = (message: string): OcrError =>
  new OcrError('OVERLOADED', message, { retryAfterSeconds: RETRY_SECONDS });

const invalid = (message: string): OcrError => new OcrError('INVALID_REQUEST', message);

/** Everything that can be told of a request without anything being fetched. */
async function toSpec(
  request: JobRequest,
  { outputBuckets, sourceBuckets, webhooks, poster }: JobsOptions,
): Promise<Omit<JobSpec, 'owner' | 'digest' | 'traceparent'>> {
  const { options, priority, webhook } = request;
  const source = toSource(request, sourceBuckets);
  const output = request.output === undefined ? undefined : toOutput(request.output, outputBuckets);
  if (options.format !== 'json' && output === undefined) {
    throw invalid('Results that are kept in the queue are JSON. Give an `output` in S3 for any other `format`.');
  }
  if (
    output !== undefined &&
    source.kind === 'prefix' &&
    source.bucket === output.bucket &&
    output.prefix.startsWith(source.prefix)
  ) {
    throw invalid('`output` lies below `prefix`, so the job would read its own results. Give a place that does not.');
  }
  if (webhook !== undefined) await checkWebhook(webhook, webhooks, poster);
  return {
    source,
    options,
    priority,
    ...(output === undefined ? {} : { output }),
    ...(webhook === undefined ? {} : { webhook }),
  };
}

function toSource({ sources, prefix, manifest }: JobRequest, buckets: readonly string[]): JobSource {
  if ([sources, prefix, manifest].filter((given) => given !== undefined).length !== 1) {
    throw invalid(
      'Give the pictures as exactly one of `sources` (a list of addresses), `prefix` (s3://bucket/prefix/) and `manifest` (s3://bucket/list.jsonl).',
    );
  }
  if (sources !== undefined) {
    for (const [i, url] of sources.entries()) checkSource(url, i);
    return { kind: 'list' };
  }
  const field = prefix === undefined ? 'manifest' : 'prefix';
  const address = prefix === undefined ? parseS3Url(manifest ?? '', field) : parseS3Prefix(prefix, field);
  if (buckets.length > 0 && !buckets.includes(address.bucket)) {
    throw new OcrError(
      'SOURCE_NOT_ALLOWED',
      `The bucket in \`${field}\` is not one that this service reads; the operator lists those in OCR_S3_BUCKETS.`,
    );
  }
  return prefix === undefined
    ? { kind: 'manifest', ...address }
    : { kind: 'prefix', bucket: address.bucket, prefix: address.key };
}

/** @throws {OcrError} INVALID_REQUEST, saying which */
function checkSource(url: string, index: number): void {
  try {
    parseSource({ url });
  } catch (error) {
    if (!(error instanceof OcrError)) throw error;
    throw invalid(`\`sources\`, number ${index + 1}: ${error.message}`);
  }
}

function toOutput(url: string, buckets: readonly string[]): JobOutput {
  const { bucket, key } = parseS3Prefix(url, 'output');
  if (!buckets.includes(bucket)) {
    throw new OcrError(
      'SOURCE_NOT_ALLOWED',
      'The bucket in `output` is not one that jobs may write into; the operator lists those in OCR_JOBS_OUTPUT_BUCKETS.',
    );
  }
  return { bucket, prefix: key === '' || key.endsWith('/') ? key : `${key}/` };
}

async function checkWebhook(webhook: string, canSign: boolean, poster: Pick<HttpPoster, 'check'>): Promise<void> {
  if (!canSign) {
    throw invalid(
      'This server sends no webhooks, because it has no secret to sign them with; the operator sets OCR_JOBS_WEBHOOK_SECRET.',
    );
  }
  const url = URL.parse(webhook);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid('`webhook` must be an absolute address that starts with http:// or https://.');
  }
  try {
    await poster.check(url);
  } catch (error) {
    if (!(error instanceof OcrError)) throw error;
    throw new OcrError(
      error.code,
      error.message.replaceAll('`url`', '`webhook`'),
      error.detail === undefined ? {} : { detail: error.detail },
    );
  }
}
