import t from 'tap';
import { OcrError } from '../../src/errors.ts';
import type { JobStatus } from '../../src/jobs/job.ts';
import type { Asker, JobRequest, Jobs } from '../../src/jobs/jobs.ts';
import { buildFakeApp } from './fixtures/fake-parts.ts';

const STATUS: JobStatus = {
  id: 'a1',
  state: 'running',
  spec: {
    source: { kind: 'prefix', bucket: 'scans', prefix: '2026/' },
    options: {
      format: 'json',
      words: false,
      characters: false,
      orientation: 'auto',
      textLayer: 'auto',
      pages: { first: 1 },
    },
    output: { bucket: 'texts', prefix: '2026/' },
    priority: 'normal',
    owner: '',
    digest: '',
  },
  found: 40,
  listed: true,
  done: 10,
  failed: 1,
  pages: 12,
  createdAt: 1_700_000_000_000,
  startedAt: 1_700_000_001_000,
  finishedAt: undefined,
  rate: 2.345,
  error: undefined,
  webhook: 'none',
  round: 0,
};
const LETTER = {
  index: 3,
  source: 's3://scans/2026/3.png',
  error: { code: 'INVALID_IMAGE', message: 'Damaged.' },
  tries: 1,
};

/** Jobs that answer what is above and remember what they were asked. */
function fakeJobs(changes: Partial<Jobs> = {}) {
  const asked: [JobRequest, Asker][] = [];
  const owners: string[] = [];
  const jobs: Jobs = {
    async create(request, asker) {
      asked.push([request, asker]);
      return { status: STATUS, isNew: asked.length === 1 };
    },
    async status(_id, owner) {
      owners.push(owner);
      return STATUS;
    },
    results: async () => ({
      results: [{ index: 0, source: 'x', status: 'done', document: { text: '中', pages: [] } }],
      next: 1,
    }),
    deadLetters: async (_id, _owner, _from, most) => Array.from({ length: Math.min(most, 2) }, () => LETTER),
    cancel: async () => ({ ...STATUS, state: 'cancelled' }),
    retry: () => Promise.reject(new OcrError('CONFLICT', 'Nothing of this job has failed.')),
    figures: async () => ({ active: 1, waiting: 2, workers: 3, totals: {} }),
    close: async () => undefined,
    ...changes,
  };
  return { jobs, asked, owners };
}

t.test('without a queue every route says what is missing', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  for (const [method, url] of [
    ['POST', '/v1/jobs'],
    ['GET', '/v1/jobs/x'],
    ['GET', '/v1/jobs/x/results'],
    ['GET', '/v1/jobs/x/failures'],
    ['POST', '/v1/jobs/x/cancel'],
    ['POST', '/v1/jobs/x/retry'],
  ] as const) {
    const response = await app.inject({ method, url });
    t.equal(response.statusCode, 404, url);
    t.match(response.json(), { code: 'JOBS_NOT_CONFIGURED', message: /OCR_REDIS_URL/ });
  }
});

t.test('giving a job', async (t) => {
  const { jobs, asked } = fakeJobs();
  const app = await buildFakeApp({ jobs });
  t.teardown(() => app.close());
  const payload = {
    prefix: 's3://scans/2026/',
    output: 's3://texts/2026/',
    priority: 'high',
    options: { words: true, minScore: 0.5, pages: '2-3' },
    unknown: 1,
  };
  const headers = { 'idempotency-key': 'k1', traceparent: '00-x-y-01' };
  const taken = await app.inject({ method: 'POST', url: '/v1/jobs', payload, headers });
  t.equal(taken.statusCode, 202, taken.body);
  t.equal(taken.headers.location, '/v1/jobs/a1');
  t.strictSame(taken.json(), {
    id: 'a1',
    state: 'running',
    source: 's3://scans/2026/',
    output: 's3://texts/2026/',
    priority: 'normal',
    counts: { found: 40, allFound: true, done: 10, failed: 1, waiting: 29, pages: 12 },
    picturesPerSecond: 2.35,
    secondsLeft: 13,
    createdAt: '2023-11-14T22:13:20.000Z',
    startedAt: '2023-11-14T22:13:21.000Z',
    finishedAt: null,
    error: null,
    webhook: 'none',
    retries: 0,
    firstErrors: [LETTER, LETTER],
    links: {
      self: '/v1/jobs/a1',
      results: '/v1/jobs/a1/results',
      failures: '/v1/jobs/a1/failures',
      cancel: '/v1/jobs/a1/cancel',
      retry: '/v1/jobs/a1/retry',
    },
  });
  t.match(asked[0], [
    {
      prefix: payload.prefix,
      output: payload.output,
      priority: 'high',
      options: { format: 'json', words: true, minScore: 0.5, pages: { first: 2, last: 3 } },
    },
    { owner: '', idempotencyKey: 'k1', traceparent: '00-x-y-01' },
  ]);
  t.equal((await app.inject({ method: 'POST', url: '/v1/jobs', payload, headers })).statusCode, 200, 'the second time');
});

t.test('refused by its form', async (t) => {
  const { jobs, asked } = fakeJobs();
  const app = await buildFakeApp({ jobs });
  t.teardown(() => app.close());
  for (const payload of [
    { sources: [] },
    { sources: [1] },
    { sources: Array.from({ length: 5001 }, () => 'https://a/b') },
    { prefix: 1 },
    { sources: ['https://a/b'], options: { minScore: 2 } },
    { sources: ['https://a/b'], priority: 'urgent' },
    [],
  ]) {
    const response = await app.inject({ method: 'POST', url: '/v1/jobs', payload });
    t.equal(response.statusCode, 400, JSON.stringify(payload).slice(0, 80));
    t.match(response.json(), { code: 'INVALID_REQUEST', message: /sources|minScore|priority|prefix/ });
  }
  t.equal(asked.length, 0);
  const range = await app.inject('/v1/jobs/a1/results?from=-1');
  t.equal(range.statusCode, 400);
});

t.test('a job, its results and failures, cancel and retry', async (t) => {
  const { jobs } = fakeJobs();
  const app = await buildFakeApp({ jobs });
  t.teardown(() => app.close());
  t.match((await app.inject('/v1/jobs/a1')).json(), { id: 'a1', counts: { done: 10 } });
  t.strictSame((await app.inject('/v1/jobs/a1/results?limit=7')).json(), {
    results: [{ index: 0, source: 'x', status: 'done', document: { text: '中', pages: [] } }],
    next: '/v1/jobs/a1/results?from=1&limit=7',
  });
  t.match((await app.inject('/v1/jobs/a1/failures?limit=2')).json(), { next: '/v1/jobs/a1/failures?from=4&limit=2' });
  t.match((await app.inject('/v1/jobs/a1/failures')).json(), { failures: [LETTER, LETTER], next: null });
  const cancelled = await app.inject({ method: 'POST', url: '/v1/jobs/a1/cancel' });
  t.match([cancelled.statusCode, cancelled.json()], [200, { state: 'cancelled' }]);
  const retried = await app.inject({ method: 'POST', url: '/v1/jobs/a1/retry' });
  t.match(
    [retried.statusCode, retried.json()],
    [409, { code: 'CONFLICT', message: 'Nothing of this job has failed.' }],
  );
});

t.test('each key sees its own jobs', async (t) => {
  const { jobs, owners } = fakeJobs();
  const app = await buildFakeApp({ jobs, env: { OCR_API_KEYS: 'one,two' } });
  t.teardown(() => app.close());
  t.equal((await app.inject('/v1/jobs/a1')).statusCode, 401);
  for (const key of ['one', 'two', 'one']) {
    t.equal((await app.inject({ url: '/v1/jobs/a1', headers: { 'x-api-key': key } })).statusCode, 200);
  }
  t.equal(new Set(owners).size, 2);
  t.notMatch(owners.join(), /one|two/, 'the key itself goes nowhere');
});

t.test('other methods, with and without a queue', async (t) => {
  const app = await buildFakeApp();
  t.teardown(() => app.close());
  for (const [method, url, allow] of [
    ['GET', '/v1/jobs', 'POST'],
    ['DELETE', '/v1/jobs/x', 'GET, HEAD'],
    ['POST', '/v1/jobs/x/results', 'GET, HEAD'],
    ['GET', '/v1/jobs/x/cancel', 'POST'],
  ] as const) {
    const response = await app.inject({ method, url });
    t.match([response.statusCode, response.headers.allow], [405, allow], `${method} ${url}`);
  }
  for (const url of ['/v1/jobs/', '/v1/jobs/x/else', '/v1/jobs/x/results/y']) {
    t.equal((await app.inject({ method: 'DELETE', url })).statusCode, 404, url);
  }
});
