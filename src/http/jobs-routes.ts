import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { OcrError } from '../errors.ts';
import { describeJobFault } from './jobs-faults.ts';
import type { JobStatus } from '../jobs/job.ts';
import type { JobRequest, Jobs } from '../jobs/jobs.ts';
import { jobView } from '../jobs/job-view.ts';
import {
  cancelJobSchema,
  createJobSchema,
  failuresSchema,
  JOB_BODY_BYTES,
  JOB_SCHEMAS,
  type JobParams,
  type JobRequestBody,
  jobSchema,
  PAGE_OF_RESULTS,
  type PageQuery,
  resultsSchema,
  retryJobSchema,
} from './jobs-schemas.ts';
import { toV1Options } from './v1-options.ts';

export interface JobRoutesOptions {
  /** Undefined: there is no queue, and every route says so. */
  readonly jobs: Jobs | undefined;
  /** Passes a request that may use the API, throws UNAUTHORIZED otherwise. */
  readonly authorize: (request: FastifyRequest) => void;
  /** Names whoever sent a request; jobs are seen by those who gave them. */
  readonly ownerOf: (request: FastifyRequest) => string;
  /** Further Fastify options of the routes (their rate limit). */
  readonly route: RouteShorthandOptions['config'];
}

/** Failures that an answer shows by itself. */
const FIRST_ERRORS = 10;

/** `/v1/jobs` and what is below it. */
export function registerJobRoutes(app: FastifyInstance, options: JobRoutesOptions): void {
  for (const schema of JOB_SCHEMAS) app.addSchema(schema);
  const { jobs: configured, authorize, ownerOf } = options;
  const jobs = (): Jobs => {
    if (configured !== undefined) return configured;
    throw new OcrError(
      'JOBS_NOT_CONFIGURED',
      'This server has no queue for jobs: the operator sets OCR_REDIS_URL and starts workers (`general-ocr worker`). Single ' +
        'pictures are read by POST /v1/ocr.',
    );
  };
  const route = {
    config: options.route ?? {},
    onRequest: async (request: FastifyRequest) => {
      authorize(request);
      jobs();
    },
    schemaErrorFormatter: describeJobFault,
  };
  const view = async (status: JobStatus, owner: string) => {
    const firstErrors = status.failed === 0 ? [] : await jobs().deadLetters(status.id, owner, 0, FIRST_ERRORS);
    return { ...jobView(status), firstErrors, links: linksOf(status.id) };
  };

  app.post<{ Body: JobRequestBody; Headers: { 'idempotency-key'?: string } }>(
    '/v1/jobs',
    { schema: createJobSchema, bodyLimit: JOB_BODY_BYTES, ...route },
    async (request, reply) => {
      const owner = ownerOf(request);
      const { status, isNew } = await jobs().create(toJobRequest(request.body), {
        owner,
        idempotencyKey: request.headers['idempotency-key'],
        traceparent: [request.headers.traceparent].flat()[0],
      });
      request.log.info({ job: status.id, isNew, source: status.spec.source.kind }, 'job taken');
      reply.code(isNew ? 202 : 200).header('location', `/v1/jobs/${status.id}`);
      return view(status, owner);
    },
  );

  app.get<{ Params: JobParams }>('/v1/jobs/:id', { schema: jobSchema, ...route }, async (request) => {
    const owner = ownerOf(request);
    return view(await jobs().status(request.params.id, owner), owner);
  });

  app.get<{ Params: JobParams; Querystring: PageQuery }>(
    '/v1/jobs/:id/results',
    { schema: resultsSchema, ...route },
    async (request) => {
      const { id } = request.params;
      const { from, limit } = rangeOf(request.query);
      const { results, next } = await jobs().results(id, ownerOf(request), from, limit);
      return { results, next: next === undefined ? null : `/v1/jobs/${id}/results?from=${next}&limit=${limit}` };
    },
  );

  app.get<{ Params: JobParams; Querystring: PageQuery }>(
    '/v1/jobs/:id/failures',
    { schema: failuresSchema, ...route },
    async (request) => {
      const { id } = request.params;
      const { from, limit } = rangeOf(request.query);
      const failures = await jobs().deadLetters(id, ownerOf(request), from, limit);
      const last = failures.length < limit ? undefined : failures.at(-1);
      return {
        failures,
        next: last === undefined ? null : `/v1/jobs/${id}/failures?from=${last.index + 1}&limit=${limit}`,
      };
    },
  );

  app.post<{ Params: JobParams }>('/v1/jobs/:id/cancel', { schema: cancelJobSchema, ...route }, async (request) => {
    const owner = ownerOf(request);
    return view(await jobs().cancel(request.params.id, owner), owner);
  });

  app.post<{ Params: JobParams }>(
    '/v1/jobs/:id/retry',
    { schema: retryJobSchema, ...route },
    async (request, reply) => {
      const owner = ownerOf(request);
      reply.code(202);
      return view(await jobs().retry(request.params.id, owner), owner);
    },
  );
}

const linksOf = (id: string) => ({
  self: `/v1/jobs/${id}`,
  results: `/v1/jobs/${id}/results`,
  failures: `/v1/jobs/${id}/failures`,
  cancel: `/v1/jobs/${id}/cancel`,
  retry: `/v1/jobs/${id}/retry`,
});

function toJobRequest({ options, priority, ...body }: JobRequestBody): JobRequest {
  const { sources, prefix, manifest, output, webhook } = body;
  const { format, minScore, region, orientation, textLayer, words, characters, pages } = toV1Options(
    options ?? {},
    {},
    {},
  );
  return {
    sources,
    prefix,
    manifest,
    output,
    webhook,
    priority: priority ?? 'normal',
    options: { format, minScore, region, orientation, textLayer, words, characters, pages },
  };
}

const rangeOf = ({ from, limit }: PageQuery) => ({
  from: Number(from ?? 0),
  limit: Math.min(Number(limit ?? PAGE_OF_RESULTS.default), PAGE_OF_RESULTS.maximum),
});
