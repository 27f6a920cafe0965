/**
 * A fleet of replicas behind balancers, simulated event by event: what docs/scaling.md says about more machines than there were to
 * measure on. Times in seconds, rates in pages a second.
 */

/** How a balancer chooses a replica. */
export type Policy = 'least_conn' | 'round_robin';

export interface Fleet {
  /** Replicas, each with so many engine processes, one page at a time each. */
  readonly replicas: number;
  readonly processes: number;
  /** `OCR_QUEUE_LENGTH`: requests that wait in a replica; one more is refused. */
  readonly queueLength: number;
  /** Balancers that know nothing of each other; requests come to each of them alike. */
  readonly balancers: number;
  readonly policy: Policy;
  /** Share (0..1) of the replicas on machines that others use as well, and how fast those are (1: like the rest). */
  readonly slowShare: number;
  readonly slowSpeed: number;
  /** Seconds that a page takes in an engine process; drawn from at random, with replacement. */
  readonly serviceSeconds: readonly number[];
}

export interface Outcome {
  /** Share (0..1) of the requests that were refused (429). */
  readonly refused: number;
  /** From arriving to the answer, of those that were read; nearest rank. */
  readonly p99Seconds: number;
  /** Mean time from arriving to being begun with. */
  readonly meanWaitSeconds: number;
}

/** Seconds at the beginning that are not counted: the fleet starts empty. Several times the longest page. */
const WARM_UP_SECONDS = 60;

/** Random numbers in [0, 1), the same for the same seed (mulberry32, T. Ettinger 2017, public domain). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Of each replica; the slow ones come first. */
const speedsOf = ({ replicas, slowShare, slowSpeed }: Fleet): number[] =>
  Array.from({ length: replicas }, (_, i) => (i < Math.round(slowShare * replicas) ? slowSpeed : 1));

/** Ends of pages in the order of time: a binary heap in typed arrays. */
class Ends {
  readonly #times: Float64Array;
  readonly #keys: Int32Array;
  #size = 0;

  constructor(most: number) {
    this.#times = new Float64Array(most);
    this.#keys = new Int32Array(most);
  }

  /** Infinity when there is none. */
  get next(): number {
    return this.#size === 0 ? Infinity : this.#times[0];
  }

  push(time: number, key: number): void {
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent] <= time) break;
      this.#put(at, this.#times[parent], this.#keys[parent]);
      at = parent;
    }
    this.#put(at, time, key);
  }

  /** @returns the key of the first; there must be one */
  pop(): number {
    const key = this.#keys[0];
    const last = --this.#size;
    const time = this.#times[last];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#times[child + 1] < this.#times[child]) child++;
      if (this.#times[child] >= time) break;
      this.#put(at, this.#times[child], this.#keys[child]);
      at = child;
    }
    this.#put(at, time, this.#keys[last]);
    return key;
  }

  #put(at: number, time: number, key: number): void {
    this.#times[at] = time;
    this.#keys[at] = key;
  }
}

/** One balancer's choice: by the requests that it has open itself, as nginx with a `zone` of its own counts them. */
function chooser(fleet: Fleet, open: Int32Array, random: () => number): (balancer: number) => number {
  const { replicas, policy } = fleet;
  const turns = Int32Array.from({ length: fleet.balancers }, () => Math.floor(random() * replicas));
  return (balancer) => {
    const turn = (turns[balancer] + 1) % replicas;
    turns[balancer] = turn;
    if (policy === 'round_robin') return turn;
    let best = turn;
    const row = balancer * replicas;
    // Beginning with whose turn it is: among equals nginx takes turns, too.
    for (let i = 1; i < replicas && open[row + best] > 0; i++) {
      const replica = (turn + i) % replicas;
      if (open[row + replica] < open[row + best]) best = replica;
    }
    return best;
  };
}

/**
 * Lets requests arrive at random (Poisson) for so many seconds.
 *
 * @param arrivalsPerSecond of the whole fleet
 * @param seconds that are counted, after a minute of warming up
 */
export function simulateFleet(fleet: Fleet, arrivalsPerSecond: number, seconds: number, seed = 1): Outcome {
  const { replicas, processes, queueLength, balancers, serviceSeconds } = fleet;
  const random = randomFrom(seed);
  const open = new Int32Array(balancers * replicas);
  const inside = new Int32Array(replicas);
  const freeAt = new Float64Array(replicas * processes);
  const speed = speedsOf(fleet);
  const ends = new Ends(replicas * (processes + queueLength));
  const choose = chooser(fleet, open, random);
  const latencies: number[] = [];
  let refused = 0;
  let waited = 0;
  const end = WARM_UP_SECONDS + seconds;
  for (let now = 0; now < end; now += -Math.log(1 - random()) / arrivalsPerSecond) {
    while (ends.next <= now) {
      const key = ends.pop();
      open[key]--;
      inside[key % replicas]--;
    }
    const counted = now >= WARM_UP_SECONDS;
    const balancer = Math.floor(random() * balancers);
    const replica = choose(balancer);
    if (inside[replica] >= processes + queueLength) {
      if (counted) refused++;
      continue;
    }
    // First come, first served is the same as going at once to the process that will be free first.
    let process = replica * processes;
    for (let i = process + 1; i < (replica + 1) * processes; i++) if (freeAt[i] < freeAt[process]) process = i;
    const begun = Math.max(now, freeAt[process]);
    const service = serviceSeconds[Math.floor(random() * serviceSeconds.length)] / speed[replica];
    freeAt[process] = begun + service;
    const key = balancer * replicas + replica;
    open[key]++;
    inside[replica]++;
    ends.push(begun + service, key);
    if (counted) {
      latencies.push(begun + service - now);
      waited += begun - now;
    }
  }
  const sorted = Float64Array.from(latencies).sort();
  return {
    refused: refused / Math.max(refused + sorted.length, 1),
    p99Seconds: sorted[Math.max(Math.ceil(0.99 * sorted.length) - 1, 0)] ?? NaN,
    meanWaitSeconds: waited / sorted.length,
  };
}

/** What callers are promised. */
export interface ServiceLevel {
  /** 99 of 100 answers come within. */
  readonly p99Seconds: number;
  /** Share of the requests that may be refused. */
  readonly refused: number;
}

/** Steps of the search: to 1 / 2^9 of the capacity. */
const SEARCH_STEPS = 9;

/**
 * The most pages a second that a fleet can be sent with a service level kept, by halving.
 *
 * @param seconds simulated for each step
 */
export function sustainedRate(fleet: Fleet, level: ServiceLevel, seconds: number): number {
  const meanSeconds = fleet.serviceSeconds.reduce((sum, one) => sum + one, 0) / fleet.serviceSeconds.length;
  const capacity = (fleet.processes / meanSeconds) * speedsOf(fleet).reduce((sum, one) => sum + one, 0);
  let [kept, broken] = [0, capacity];
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const rate = (kept + broken) / 2;
    const outcome = simulateFleet(fleet, rate, seconds);
    const holds = outcome.p99Seconds <= level.p99Seconds && outcome.refused <= level.refused;
    if (holds) kept = rate;
    else broken = rate;
  }
  return kept;
}
