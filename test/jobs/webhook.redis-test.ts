/** Webhooks of jobs on a real Redis: npm run test:jobs */
import { createHmac } from 'node:crypto';
import t from 'tap';
import { startOrigin } from '../source/local-origin.ts';
import { addresses, SECRET, startHarness } from './harness.ts';

t.test('a job that has ended is told of, signed, until somebody listens', async (t) => {
  const { jobs, work, give, end, until } = await startHarness(t);
  const bodies: string[] = [];
  const origin = await startOrigin(t, (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(bodies.length === 1 ? 503 : 204).end();
    });
  });
  await work();
  const id = await give({ sources: addresses(3), webhook: `http://${origin.host}/hook?of=job` });
  t.match(await end(id), { state: 'done' });
  await until('delivered', async () => (await jobs.status(id, '')).webhook === 'delivered');
  t.equal(bodies.length, 2, 'once more after a 503');
  const [first, second] = origin.requests;
  t.equal(first.headers['webhook-id'], second.headers['webhook-id'], 'the same message');
  t.strictSame(
    [second.method, second.url, second.headers['content-type']],
    ['POST', '/hook?of=job', 'application/json'],
  );
  const { 'webhook-id': message, 'webhook-timestamp': time, 'webhook-signature': signature } = second.headers;
  const expected = createHmac('sha256', Buffer.from(SECRET.slice('whsec_'.length), 'base64'))
    .update(`${String(message)}.${String(time)}.${bodies[1]}`)
    .digest('base64');
  t.equal(signature, `v1,${expected}`);
  t.match(JSON.parse(bodies[1]), {
    type: 'job.done',
    data: { id, state: 'done', counts: { found: 3, done: 3, failed: 0 } },
  });
});

t.test('a redirect is not followed: it might lead anywhere', async (t) => {
  const { jobs, work, give, end, until } = await startHarness(t);
  const target = await startOrigin(t, (_request, response) => void response.end());
  const origin = await startOrigin(t, (_request, response) => {
    response.writeHead(307, { location: `http://${target.host}/` }).end();
  });
  await work();
  const id = await give({ sources: addresses(1), webhook: `http://${origin.host}/` });
  await end(id);
  await until('asked twice', async () => origin.requests.length >= 2);
  t.equal(target.connections(), 0);
  t.equal((await jobs.status(id, '')).webhook, 'waiting', 'it will be tried again');
});
