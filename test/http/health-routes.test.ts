import t from 'tap';
import { buildFakeApp, fakeEngine, READY } from './fixtures/fake-parts.ts';

const starting = { pid: 1, state: 'starting', residentBytes: 0 } as const;
const idle = { pid: 2, state: 'idle', residentBytes: 1 } as const;

const rows = [
  {
    restarts: 0,
    processes: [starting, idle],
    says: /are starting: 1 of 2 engine processes has read the built-in sample/,
  },
  { restarts: 0, processes: [starting, starting], says: /0 of 2 engine processes have read/ },
  {
    restarts: 7,
    processes: [idle],
    says: /ended and are being started again: 1 of 1 .* 7 restarts so far.*"engine process ended"/,
  },
];

t.test('a server that is not ready says why', async (t) => {
  for (const { restarts, processes, says } of rows) {
    const app = await buildFakeApp({
      engine: fakeEngine({
        status: () => ({ ...READY, ready: false, processes, restarts }),
      }),
    });
    const response = await app.inject('/health/ready');
    t.match(response, { statusCode: 503, headers: { 'retry-after': /^\d+$/ } });
    t.match(response.json(), { code: 'UNAVAILABLE', message: says });
    t.equal((await app.inject('/health/live')).statusCode, 200, 'and lives');
    await app.close();
  }
});
