import t from 'tap';
import { randomFrom, simulateFleet, sustainedRate, type Fleet } from '../../bench/fleet-simulation.ts';

/** A thousand quantiles of an exponential distribution with a mean of about 1 s. */
const exponential = Array.from({ length: 1000 }, (_, i) => -Math.log(1 - (i + 0.5) / 1000));
const meanSeconds = exponential.reduce((sum, one) => sum + one, 0) / exponential.length;
const fleet: Fleet = {
  replicas: 1,
  processes: 4,
  queueLength: 1e6,
  balancers: 1,
  policy: 'least_conn',
  slowShare: 0,
  slowSpeed: 1,
  serviceSeconds: exponential,
};

/** Mean wait in an M/M/c queue (A. K. Erlang 1917): Erlang's C over what is left of the capacity. */
function erlangWait(servers: number, load: number): number {
  const offered = servers * load;
  let blocked = 1;
  for (let i = 1; i <= servers; i++) blocked = (offered * blocked) / (i + offered * blocked);
  const waits = blocked / (1 - load * (1 - blocked));
  return waits / (servers * (1 - load));
}

t.test('one replica waits as Erlang says', async (t) => {
  for (const load of [0.5, 0.8, 0.9]) {
    const { meanWaitSeconds, refused } = simulateFleet(fleet, (4 * load) / meanSeconds, 100_000);
    const expected = erlangWait(4, load) * meanSeconds;
    t.ok(Math.abs(meanWaitSeconds / expected - 1) < 0.1, `load ${load}: ${meanWaitSeconds} s, ${expected} s`);
    t.equal(refused, 0);
  }
});

t.test('without a queue as many are refused as Erlang says', async (t) => {
  const constant = { ...fleet, processes: 1, replicas: 2, serviceSeconds: [1], queueLength: 0 };
  const { refused } = simulateFleet(constant, 1, 50_000);
  // Erlang's B of two servers offered one: without a queue the order of service does not matter.
  t.ok(Math.abs(refused - 0.2) < 0.01, `${refused} refused`);
});

t.test('taking turns keeps less than going where fewest are', async (t) => {
  const many = { ...fleet, replicas: 16, queueLength: 32 };
  const promise = { p99Seconds: 6, refused: 0.001 };
  const rate = (changed: Partial<Fleet>): number => sustainedRate({ ...many, ...changed }, promise, 500) * meanSeconds;
  const least = rate({});
  t.ok(least > 0.9 * 64 && least < 64, `${least} of 64`);
  t.ok(rate({ policy: 'round_robin' }) < least);
  t.ok(rate({ balancers: 8 }) < least);
  t.ok(rate({ slowShare: 0.25, slowSpeed: 0.5 }) < 0.9 * least);
});

t.test('random numbers repeat and spread evenly', async (t) => {
  const [a, b] = [randomFrom(7), randomFrom(7)];
  const values = Array.from({ length: 10_000 }, () => a());
  t.strictSame(
    values.slice(0, 5),
    Array.from({ length: 5 }, () => b()),
  );
  t.ok(values.every((value) => value >= 0 && value < 1));
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = values.filter((value) => Math.floor(10 * value) === tenth).length / values.length;
    t.ok(Math.abs(share - 0.1) < 0.015, `${share} in tenth ${tenth}`);
  }
});
