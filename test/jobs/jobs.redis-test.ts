/**
 * Jobs on a real Redis (REDIS_SERVER names it where `redis-server` is not on the PATH). Not part of `npm test`, because it
 * needs a program that npm cannot install: npm run test:jobs
 */
import t from 'tap';
import { OcrError } from '../../src/errors.ts';
import { PART_SIZE } from '../../src/jobs/job.ts';
import { jobKeys, KEYS, partKey } from '../../src/jobs/keys.ts';
import { connectRedis } from '../../src/jobs/redis.ts';
import { createWorkStore } from '../../src/jobs/work-store.ts';
import { addresses, allResults, OPTIONS, startHarness } from './harness.ts';

t.test('a list of pictures: results in its order, each once, kept for a time', async (t) => {
  const { jobs, work, give, end, redis } = await startHarness(t);
  const sources = addresses(250);
  const id = await give({ sources });
  t.match(await jobs.status(id, ''), { state: 'queued', found: 0 });
  await work();
  t.match(await end(id), {
    state: 'done',
    found: 250,
    listed: true,
    done: 250,
    failed: 0,
    pages: 250,
    webhook: 'none',
  });
  for (const most of [7, 100, 500]) {
    const results = await allResults(jobs, id, most);
    t.strictSame(
      results.map(({ index }) => index),
      sources.map((_, i) => i),
      `${most} a page`,
    );
    t.strictSame(
      results.map(({ document }) => document),
      sources.map((text) => ({ text })),
    );
  }
  const keys = await redis.keys(`${jobKeys(id).job}*`);
  const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
  t.ok(
    lives.every((ms) => ms > 0),
    `every key will be forgotten: ${keys.join(' ')}`,
  );
  await t.rejects(jobs.status(id, 'somebody else'), { code: 'NOT_FOUND' });
  await t.rejects(jobs.cancel(id, ''), { code: 'CONFLICT' });
  await t.rejects(jobs.retry(id, ''), { code: 'CONFLICT', message: /Nothing of this job has failed/ });
});

t.test('failures: what may pass is tried again, what may not is not, and all are given another chance', async (t) => {
  const { jobs, work, give, end } = await startHarness(t);
  const tries = new Map<string, number>();
  let mended = false;
  await work({
    readPicture: async ({ source }) => {
      const number = (tries.get(source) ?? 0) + 1;
      tries.set(source, number);
      if (source.endsWith('-1.png') && !mended) throw new OcrError('INVALID_IMAGE', 'The image is damaged.');
      if (source.endsWith('-2.png') && !mended) throw new OcrError('SOURCE_UNAVAILABLE', 'Nobody there.');
      if (source.endsWith('-3.png') && number === 1) throw new OcrError('SOURCE_UNAVAILABLE', 'Nobody there yet.');
      if (source.endsWith('-4.png') && !mended) throw new TypeError('a secret of the house');
      if (source.endsWith('-5.png') && !mended) throw new OcrError('ENGINE_CRASHED', 'Two ended.');
      return { pages: 1, lines: 1 };
    },
  });
  const id = await give({ sources: addresses(6) });
  t.match(await end(id), { state: 'done', done: 2, failed: 4 });
  t.strictSame(
    [1, 2, 3, 4, 5].map((i) => tries.get(`https://example.com/p-${i}.png`)),
    [1, 2, 2, 2, 1],
  );
  const letters = await jobs.deadLetters(id, '', 0, 10);
  t.match(letters, [
    { index: 1, error: { code: 'INVALID_IMAGE', message: 'The image is damaged.' }, tries: 1 },
    { index: 2, error: { code: 'SOURCE_UNAVAILABLE' }, tries: 2 },
    { index: 4, error: { code: 'INTERNAL', message: /^Something went wrong/ }, tries: 2 },
    { index: 5, error: { code: 'ENGINE_CRASHED' }, tries: 1 },
  ]);
  t.notMatch(JSON.stringify(letters), /secret/);
  t.strictSame(
    (await jobs.deadLetters(id, '', 2, 1)).map(({ index }) => index),
    [2],
    'paged',
  );
  t.strictSame(
    (await allResults(jobs, id)).map(({ status }) => status).join(),
    'done,failed,failed,done,failed,failed',
  );

  mended = true;
  t.match(await jobs.retry(id, ''), { state: 'running', failed: 0, done: 2, round: 1 });
  t.match(await end(id), { state: 'done', done: 6, failed: 0, found: 6, round: 1 });
  t.strictSame(await jobs.deadLetters(id, '', 0, 10), []);
  t.strictSame(
    (await allResults(jobs, id)).map(({ index, status }) => `${index} ${status}`),
    [0, 1, 2, 3, 4, 5].map((i) => `${i} done`),
  );
  t.equal(tries.get('https://example.com/p-0.png'), 1, 'what was done is not done again');
});

t.test('results in S3: an index in parts, which a retry mends', async (t) => {
  const { jobs, work, give, end, s3, redis } = await startHarness(t);
  const count = 2 * PART_SIZE + 10;
  for (let i = 0; i < count; i += 1) s3.objects.set(`scans/scans/${String(i).padStart(5, '0')}.png`, '');
  let mended = false;
  await work({
    readPicture: async ({ source }) => {
      if (source.endsWith('07.png') && !mended) throw new OcrError('INVALID_IMAGE', 'Damaged.');
      const output = source.replace('s3://scans/scans/', 's3://texts/texts/');
      await s3.write('texts', output.slice('s3://texts/'.length), source, 'text/plain');
      return { pages: 1, lines: 0, output };
    },
  });
  const id = await give({ prefix: 's3://scans/scans/', output: 's3://texts/texts' });
  const failed = Math.ceil((count - 7) / 100);
  t.match(await end(id), { state: 'done', found: count, done: count - failed, failed });
  const parts = [...s3.objects.keys()].filter((key) => key.includes(`_jobs/${id}/index-`)).sort();
  t.strictSame(
    parts,
    [0, 1, 2].map((n) => `texts/texts/_jobs/${id}/index-00000${n}.jsonl`),
  );
  const indexed = (): { index: number; status: string }[] =>
    parts.flatMap((part) =>
      (s3.objects.get(part) ?? '')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { index: number; status: string }),
    );
  t.strictSame(
    indexed().map(({ index }) => index),
    Array.from({ length: count }, (_, i) => i),
    'every picture once, in order',
  );
  t.equal(indexed().filter(({ status }) => status === 'failed').length, failed);
  t.equal(await redis.exists(partKey(id, 0), partKey(id, 1), partKey(id, 2)), 0, 'nothing of it is left in the queue');
  t.strictSame(
    (await allResults(jobs, id, 500)).map(({ index }) => index),
    Array.from({ length: count }, (_, i) => i),
  );
  t.match(JSON.parse(s3.objects.get(`texts/texts/_jobs/${id}/job.json`) ?? ''), {
    id,
    state: 'done',
    counts: { found: count },
  });

  mended = true;
  await jobs.retry(id, '');
  t.match(await end(id), { state: 'done', done: count, failed: 0 });
  t.strictSame(
    indexed().map(({ index, status }) => `${index} ${status}`),
    Array.from({ length: count }, (_, i) => `${i} done`),
  );
});

t.test('a small job beside a huge one gets half of the workers, and the queue holds few of either', async (t) => {
  const { jobs, work, give, end, s3, redis, store } = await startHarness(t);
  const huge = 100_000;
  s3.list = async (_bucket, prefix, after, most) => {
    const from = after === '' ? 0 : Number(after.slice(prefix.length)) + 1;
    const keys = Array.from(
      { length: Math.min(most, huge - from) },
      (_, i) => `${prefix}${String(from + i).padStart(6, '0')}`,
    );
    return { keys, more: from + most < huge };
  };
  const big = await give({ prefix: 's3://scans/huge/', output: 's3://texts/huge/' });
  await work({ readPicture: async () => ({ pages: 1, lines: 0, output: 's3://texts/x' }) });
  const before = 500;
  await t.resolves(
    (async () => {
      while ((await jobs.status(big, '')).done < before);
    })(),
    'the huge one runs',
  );
  const small = await give({ sources: addresses(20) });
  const atStart = (await jobs.status(big, '')).done;
  await end(small);
  const meanwhile = (await jobs.status(big, '')).done - atStart;
  t.ok(meanwhile < 5000, `the huge one had ${meanwhile} of its pictures read in the meantime`);
  const { waiting } = await store.figures();
  t.ok(waiting <= 32, `handed out: ${waiting} (8 for each of the 4 that are read at a time)`);
  const tasks = (await redis.keys('{general-ocr}:pictures:*')).length;
  t.ok(tasks < 100, `tasks in the queue: ${tasks}`);
  await jobs.cancel(big, '');
  t.match(await end(big), { state: 'cancelled', listed: false });
});

t.test('cancel: nothing more is begun, what was read stays', async (t) => {
  const { jobs, work, give, end } = await startHarness(t);
  const gate = Promise.withResolvers<undefined>();
  let begun = 0;
  await work({
    concurrency: 2,
    readPicture: async () => {
      begun += 1;
      if (begun > 3) await gate.promise;
      return { pages: 1, lines: 1 };
    },
  });
  const id = await give({ sources: addresses(50) });
  while ((await jobs.status(id, '')).done < 3);
  t.match(await jobs.cancel(id, ''), { state: 'cancelled' });
  gate.resolve(undefined);
  const ended = await end(id);
  t.match(ended, { state: 'cancelled', done: 3, failed: 0 });
  t.ok(begun <= 5, `${begun} were begun`);
  t.equal((await allResults(jobs, id)).length, 3);
  await t.rejects(jobs.retry(id, ''), { code: 'CONFLICT', message: /Only a job that is done or failed/ });
});

t.test('the same request gives the same job', async (t) => {
  const { jobs, work, end } = await startHarness(t);
  const request = { options: OPTIONS, priority: 'normal', sources: addresses(2) } as const;
  const first = await jobs.create(request, { owner: 'a' });
  const again = await jobs.create(request, { owner: 'a' });
  t.strictSame([first.isNew, again.isNew, again.status.id], [true, false, first.status.id]);
  t.not((await jobs.create(request, { owner: 'b' })).status.id, first.status.id, 'of somebody else');
  t.not(
    (await jobs.create({ ...request, options: { ...OPTIONS, words: true } }, { owner: 'a' })).status.id,
    first.status.id,
    'with other options',
  );
  const keyed = await jobs.create(request, { owner: '', idempotencyKey: 'k' });
  await work();
  await end(keyed.status.id);
  t.equal(
    (await jobs.create(request, { owner: '', idempotencyKey: 'k' })).status.id,
    keyed.status.id,
    'also when it has ended',
  );
  await t.rejects(jobs.create({ ...request, sources: addresses(3) }, { owner: '', idempotencyKey: 'k' }), {
    code: 'CONFLICT',
  });
  const unkeyed = await jobs.create(request, { owner: '' });
  await end(unkeyed.status.id);
  t.ok((await jobs.create(request, { owner: '' })).isNew, 'without a key an ended job is made anew');
});

t.test('a full queue takes no more', async (t) => {
  const { jobs, give } = await startHarness(t, { maxJobs: 2 });
  await give({ sources: addresses(1, 'a') });
  const second = await give({ sources: addresses(1, 'b') });
  await t.rejects(give({ sources: addresses(1, 'c') }), {
    code: 'OVERLOADED',
    message: /OCR_JOBS_MAX/,
    retryAfterSeconds: 10,
  });
  t.equal(await give({ sources: addresses(1, 'b') }), second, 'what is there is still found');
  await jobs.cancel(second, '');
  const { give: giveMore } = await startHarness(t, { maxMemoryBytes: 1000 });
  await t.rejects(giveMore({ sources: addresses(1) }), { code: 'OVERLOADED', message: /OCR_JOBS_REDIS_MEMORY_MB/ });
});

t.test('what is refused before anything is queued', async (t) => {
  const { jobs, store } = await startHarness(t);
  const give = (request: object) => jobs.create({ options: OPTIONS, priority: 'normal', ...request }, { owner: '' });
  const sources = addresses(1);
  const refused: [string, object, RegExp][] = [
    ['INVALID_REQUEST', {}, /exactly one/],
    ['INVALID_REQUEST', { sources, prefix: 's3://scans/a/' }, /exactly one/],
    ['INVALID_REQUEST', { sources: [...sources, 'ftp://x/y'] }, /number 2/],
    ['INVALID_REQUEST', { prefix: 's3://Scans/' }, /bucket in `prefix`/],
    ['INVALID_REQUEST', { manifest: 's3://scans/' }, /`manifest` must have the form/],
    ['SOURCE_NOT_ALLOWED', { prefix: 's3://other/x/' }, /OCR_S3_BUCKETS/],
    ['SOURCE_NOT_ALLOWED', { sources, output: 's3://scans/x/' }, /OCR_JOBS_OUTPUT_BUCKETS/],
    ['INVALID_REQUEST', { prefix: 's3://texts/a', output: 's3://texts/a/b/' }, /its own results/],
    ['INVALID_REQUEST', { sources, options: { ...OPTIONS, format: 'pdf' } }, /Give an `output`/],
    ['INVALID_REQUEST', { sources, webhook: 'ftp://x' }, /`webhook` must be/],
    ['SOURCE_NOT_ALLOWED', { sources, webhook: 'http://169.254.169.254/' }, /address in `webhook` is not allowed/],
    ['SOURCE_NOT_ALLOWED', { sources, webhook: 'https://user:pw@example.com/' }, /user name/],
  ];
  for (const [code, request, message] of refused)
    await t.rejects(give(request), { code, message }, JSON.stringify(request));
  t.equal((await store.figures()).active, 0);
});

t.test('a source that cannot be listed fails the job, and a retry lists on', async (t) => {
  const { jobs, work, give, end, s3 } = await startHarness(t);
  for (let i = 0; i < 10; i += 1) s3.objects.set(`scans/x/${i}.png`, '');
  const list = s3.list;
  s3.list = async (bucket, prefix, after, most) => {
    if (after !== '') throw new OcrError('SOURCE_NOT_ALLOWED', 'No more of this.');
    return { ...(await list(bucket, prefix, after, Math.min(most, 4))), more: true };
  };
  await work();
  const id = await give({ prefix: 's3://scans/x/' });
  t.match(await end(id), {
    state: 'failed',
    listed: false,
    done: 4,
    error: { code: 'SOURCE_NOT_ALLOWED', message: 'No more of this.' },
  });
  s3.list = list;
  await jobs.retry(id, '');
  t.match(await end(id), { state: 'done', listed: true, done: 10, error: undefined });
  t.equal((await allResults(jobs, id)).length, 10);
});

t.test('too many failures, and too many pictures to keep, end a job early', async (t) => {
  const { work, give, end } = await startHarness(t);
  await work({
    maxFailed: 20,
    maxKept: 40,
    concurrency: 1,
    readPicture: async ({ source }) => {
      if (source.includes('bad')) throw new OcrError('INVALID_IMAGE', 'Damaged.');
      return { pages: 1, lines: 1 };
    },
  });
  const bad = await end(await give({ sources: addresses(500, 'bad') }));
  t.match(bad, { state: 'failed', error: { code: 'TOO_MANY_FAILED' } });
  t.ok(bad.failed < 40, `${bad.failed} failed of 500`);
  const many = await end(await give({ sources: addresses(500) }));
  t.match(many, { state: 'failed', error: { code: 'INVALID_REQUEST', message: /OCR_JOBS_MAX_KEPT/ } });
  t.ok(many.done <= 40, `${many.done} were read`);
});

t.test('the first result counts, every other changes nothing; tasks that are missing come back', async (t) => {
  const { jobs, give, end, work, server, redis } = await startHarness(t);
  const own = connectRedis(server.url, 'work', () => undefined);
  t.teardown(() => own.disconnect());
  const store = createWorkStore({ redis: own, maxFailed: 10 });
  const id = await give({ sources: addresses(3) });
  const batch = { sources: addresses(3), cursor: '3', atEnd: true };
  // A feeder that died after it had written down what it hands out.
  t.equal(await store.reserve(id, '', batch), 0);
  t.equal(await store.reserve(id, '', batch), undefined, 'a second feeder with the same batch');
  t.match(await store.begin(id, 1), { source: 'https://example.com/p-1.png', times: 1 });
  t.match(await store.begin(id, 1), { times: 2 });
  const source = 'https://example.com/p-1.png';
  const first = { index: 1, source, status: 'done', pages: 1, document: { text: 'first' } } as const;
  t.match(await store.settle(id, first), { first: true, jobIsSettled: false, out: 2 });
  t.match(await store.settle(id, { ...first, document: { text: 'second' } }), { first: false });
  t.match(await store.settle(id, { ...first, status: 'failed', error: { code: 'X', message: 'x' } }), { first: false });
  t.equal(await store.begin(id, 1), undefined, 'nothing to begin any more');
  t.match(await jobs.status(id, ''), { done: 1, failed: 0 });
  await work();
  t.match(await end(id), { state: 'done', found: 3, done: 3, failed: 0 });
  t.match((await allResults(jobs, id))[1], { document: { text: 'first' } });
  t.equal(await redis.hget(KEYS.totals, 'pictures_done'), '3');
});

t.test('a picture that ends every worker is given up', async (t) => {
  const { jobs, give, end, work, server } = await startHarness(t);
  const own = connectRedis(server.url, 'work', () => undefined);
  t.teardown(() => own.disconnect());
  const store = createWorkStore({ redis: own, maxFailed: 10 });
  const id = await give({ sources: addresses(2) });
  await store.reserve(id, '', { sources: addresses(2), cursor: '2', atEnd: true });
  // As if workers had begun it and were gone.
  for (let i = 0; i < 10; i += 1) await store.begin(id, 0);
  await work();
  t.match(await end(id), { state: 'done', done: 1, failed: 1 });
  t.match(await jobs.deadLetters(id, '', 0, 10), [
    { index: 0, error: { code: 'INTERNAL', message: /10 workers have ended/ } },
  ]);
});

t.test('Redis goes away and comes back', async (t) => {
  const { jobs, give, end, work, server } = await startHarness(t);
  let begun = 0;
  await work({
    readPicture: async () => {
      begun += 1;
      return { pages: 1, lines: 1 };
    },
  });
  const id = await give({ sources: addresses(3000) });
  while ((await jobs.status(id, '')).done < 500);
  await server.restart('SIGKILL');
  t.match(await end(id), { state: 'done', done: 3000, failed: 0 });
  t.ok(begun >= 3000 && begun < 3100, `${begun} were begun`);
  t.equal((await allResults(jobs, id, 500)).length, 3000);
});
