import Type, { type Static, type TSchema } from 'typebox';
import { JOB_STATES, PRIORITIES } from '../jobs/job.ts';
import { errorResponses } from './error-responses.ts';
import { V1_OPTIONS } from './v1-schemas.ts';

/** A longer list is a manifest. Together with commas in addresses this stays below what a JSON body may hold. */
export const MAX_SOURCES = 5000;

/** Largest body of a request for a job: `MAX_SOURCES` addresses of 1,600 bytes. */
export const JOB_BODY_BYTES = 8_388_608;

/** Results on a page of them. */
export const PAGE_OF_RESULTS = { default: 100, maximum: 500 } as const;

const closed = { additionalProperties: false } as const;
const count = (description: string) => Type.Integer({ minimum: 0, description });
const orNull = <T extends TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });
const time = (description: string) => orNull(Type.String({ format: 'date-time' }), description);

export const JobRequestSchema = Type.Object(
  {
    sources: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 8192 }), {
        minItems: 1,
        maxItems: MAX_SOURCES,
        description: 'Addresses of the pictures, as `url` of /v1/ocr: http://, https:// or s3://bucket/key.',
      }),
    ),
    prefix: Type.Optional(
      Type.String({
        maxLength: 8192,
        description: 'Every object below it: s3://bucket/prefix/. Listed as the job goes on.',
      }),
    ),
    manifest: Type.Optional(
      Type.String({
        maxLength: 8192,
        description:
          'A file in S3 with a picture on each line: its address, bare or as a JSON string, or an object with `url`. Read as the job goes on.',
      }),
    ),
    options: Type.Optional(Type.Object(V1_OPTIONS, { description: 'How to read, as in /v1/ocr, for every picture.' })),
    output: Type.Optional(
      Type.String({
        maxLength: 8192,
        description: 'Where to write results: s3://bucket/prefix/. Without it they are kept in the queue for a time.',
      }),
    ),
    webhook: Type.Optional(
      Type.String({ maxLength: 8192, description: 'Told when the job has ended, signed after Standard Webhooks.' }),
    ),
    priority: Type.Optional(
      Type.Enum([...PRIORITIES], {
        type: 'string',
        description: 'Share of the workers beside other jobs: 4 to 2 to 1.',
      }),
    ),
  },
  {
    description: 'Exactly one of `sources`, `prefix` and `manifest`. Unknown fields are ignored.',
    'x-examples': {
      list: { summary: 'Some addresses', value: { sources: ['https://example.com/1.png', 's3://scans/2.jpg'] } },
      archive: {
        summary: 'An archive in S3',
        value: { prefix: 's3://scans/2026/', output: 's3://texts/2026/', webhook: 'https://example.com/ocr-done' },
      },
    },
  },
);
export type JobRequestBody = Static<typeof JobRequestSchema>;

const ErrorOf = Type.Object(
  { code: Type.String({ description: 'As in the error table.' }), message: Type.String() },
  closed,
);

const link = (description: string) => Type.String({ description });

export const JobSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum([...JOB_STATES], {
      type: 'string',
      description:
        '`done` may have failed pictures; `failed`: the source could not be read to its end, or too many pictures failed.',
    }),
    source: Type.String({ description: '`list`, or the address in S3.' }),
    output: orNull(Type.String(), 'Where results are written; null: they are kept in the queue.'),
    priority: Type.Enum([...PRIORITIES], { type: 'string' }),
    counts: Type.Object(
      {
        found: count('Pictures found so far.'),
        allFound: Type.Boolean({ description: 'Whether these are all.' }),
        done: count('Read.'),
        failed: count('Given up; see `failures`.'),
        waiting: count('Found, and neither done nor failed.'),
        pages: count('Pages read; a file may have several.'),
      },
      closed,
    ),
    picturesPerSecond: orNull(Type.Number({ minimum: 0 }), 'Of late.'),
    secondsLeft: orNull(Type.Integer({ minimum: 0 }), 'At that rate; null until all pictures are found.'),
    createdAt: time('When the job came.'),
    startedAt: time('When its first picture was handed out.'),
    finishedAt: time('When it ended.'),
    error: orNull(ErrorOf, 'Why the job as a whole failed.'),
    webhook: Type.Enum(['none', 'waiting', 'delivered', 'failed'], { type: 'string' }),
    retries: count('How often failed pictures were given another chance.'),
    firstErrors: Type.Array(
      Type.Object(
        {
          index: count('Of the picture.'),
          source: Type.String(),
          error: ErrorOf,
          tries: count('How often it was begun.'),
        },
        closed,
      ),
      { description: 'The first ten of the failed pictures.' },
    ),
    links: Type.Object(
      {
        self: link('This.'),
        results: link('Results, page by page.'),
        failures: link('Failed pictures, page by page.'),
        cancel: link('POST: end the job.'),
        retry: link('POST: read the failed pictures again.'),
      },
      closed,
    ),
  },
  { $id: 'Job', ...closed, description: 'A job.' },
);

const ResultSchema = Type.Object(
  {
    index: count('Of the picture, in the order of the source.'),
    source: Type.String(),
    status: Type.Enum(['done', 'failed'], { type: 'string' }),
    output: Type.Optional(Type.String({ description: 'Where its result was written.' })),
    pages: Type.Optional(count('Pages read.')),
    lines: Type.Optional(count('Lines read.')),
    document: Type.Optional(
      Type.Unsafe<object>({
        type: 'object',
        additionalProperties: true,
        description: 'As /v1/ocr answers it, less the timings, where results are kept in the queue.',
      }),
    ),
    error: Type.Optional(ErrorOf),
    tries: Type.Optional(count('How often it was begun, for failed ones.')),
  },
  { $id: 'JobResult', ...closed, description: 'What became of a picture.' },
);

const FailureSchema = Type.Object(
  { index: count('Of the picture.'), source: Type.String(), error: ErrorOf, tries: count('How often it was begun.') },
  { $id: 'JobFailure', ...closed, description: 'A picture that was given up.' },
);

/** To be added to the app before the routes. */
export const JOB_SCHEMAS = [JobSchema, ResultSchema, FailureSchema];

const nextPage = orNull(Type.String(), 'Where to go on.');

const PageQuerySchema = Type.Object({
  from: Type.Optional(Type.String({ pattern: '^[0-9]{1,9}$', description: 'Index of the first; 0 if not given.' })),
  limit: Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,2}$',
      description: `At most so many, up to ${PAGE_OF_RESULTS.maximum}; ${PAGE_OF_RESULTS.default} if not given.`,
    }),
  ),
});
export type PageQuery = Static<typeof PageQuerySchema>;

const JobParamsSchema = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, description: 'Id of the job.' }),
});
export type JobParams = Static<typeof JobParamsSchema>;

const shared = { tags: ['jobs'], security: [{}, { apiKey: [] }, { bearer: [] }] };
const COMMON = [
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'RATE_LIMITED',
  'INTERNAL',
  'JOBS_NOT_CONFIGURED',
  'UNAVAILABLE',
] as const;
const answerOf = (status: number, $ref: string, description: string) => ({
  [status]: { description, content: { 'application/json': { schema: { $ref: `${$ref}#` } } } },
});
const page = (name: string, $ref: string, description: string) => ({
  200: {
    description,
    content: {
      'application/json': {
        schema: Type.Object({ [name]: Type.Array(Type.Unsafe<object>({ $ref: `${$ref}#` })), next: nextPage }, closed),
      },
    },
  },
});

export const createJobSchema = {
  ...shared,
  operationId: 'createJob',
  summary: 'Give many pictures to be read',
  description:
    'Answers at once; workers read the pictures. The same request again gives the same job as long as that has not ended, with the same `idempotency-key` also after that.',
  headers: Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Names the request, so that it may be sent again safely.',
      }),
    ),
  }),
  body: { content: { 'application/json': { schema: JobRequestSchema } } },
  response: {
    ...answerOf(200, 'Job', 'The job was there already.'),
    ...answerOf(202, 'Job', 'The job is in the queue.'),
    ...errorResponses([
      ...COMMON,
      'SOURCE_NOT_ALLOWED',
      'CONFLICT',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'OVERLOADED',
    ]),
  },
} as const;

export const jobSchema = {
  ...shared,
  operationId: 'getJob',
  summary: 'How far a job is',
  params: JobParamsSchema,
  response: { ...answerOf(200, 'Job', 'The job.'), ...errorResponses([...COMMON, 'NOT_FOUND']) },
} as const;

export const resultsSchema = {
  ...shared,
  operationId: 'getJobResults',
  summary: 'The results of a job, in the order of its source',
  description:
    'While the job runs a page ends before the first picture that is not settled. Whoever follows `next` until it is null gets every result once.',
  params: JobParamsSchema,
  querystring: PageQuerySchema,
  response: { ...page('results', 'JobResult', 'Results.'), ...errorResponses([...COMMON, 'NOT_FOUND']) },
} as const;

export const failuresSchema = {
  ...shared,
  operationId: 'getJobFailures',
  summary: 'The pictures of a job that were given up (its dead-letter list)',
  params: JobParamsSchema,
  querystring: PageQuerySchema,
  response: { ...page('failures', 'JobFailure', 'Failed pictures.'), ...errorResponses([...COMMON, 'NOT_FOUND']) },
} as const;

export const cancelJobSchema = {
  ...shared,
  operationId: 'cancelJob',
  summary: 'End a job: nothing more is begun, what was read stays',
  params: JobParamsSchema,
  response: { ...answerOf(200, 'Job', 'The job.'), ...errorResponses([...COMMON, 'NOT_FOUND', 'CONFLICT']) },
} as const;

export const retryJobSchema = {
  ...shared,
  operationId: 'retryJob',
  summary: 'Read the failed pictures of an ended job again',
  params: JobParamsSchema,
  response: {
    ...answerOf(202, 'Job', 'The job, which runs again.'),
    ...errorResponses([...COMMON, 'NOT_FOUND', 'CONFLICT', 'OVERLOADED']),
  },
} as const;
