/**
 * Names of the keys in Redis. The braces put all of them into one slot of a cluster, so that a script may change several
 * at once.
 */
export const KEY_PREFIX = '{general-ocr}';

const key = (...parts: readonly (string | number)[]): string => [KEY_PREFIX, ...parts].join(':');

/** Keys of no job in particular. */
export const KEYS = {
  /** Sorted set of the jobs that have not ended, by the time they came. */
  active: key('active'),
  /** Hash of counters that only grow, for metrics. */
  totals: key('totals'),
  /** Hash of the workers that live: `<pictures at a time>:<milliseconds when to forget it>`. */
  workers: key('workers'),
  /** Who feeds the queue now. */
  feeding: key('feeding'),
  /** Set of the jobs whose webhook is still to be delivered. */
  webhooks: key('webhooks'),
} as const;

/** Names the job that was made of a request, so that the same request again gets the same job. */
export const sameKey = (fingerprint: string): string => key('same', fingerprint);

/** Prefix of the keys of one job. */
export const jobKey = (id: string): string => key('job', id);

/** Keys of one job; what each holds stands beside it. */
export const jobKeys = (id: string) => {
  const job = jobKey(id);
  return {
    /** Hash: state, counters, spec. */
    job,
    /** List of the sources that came with the request. */
    sources: `${job}:sources`,
    /** Hash index -> source of the pictures that are handed out and not settled. */
    out: `${job}:out`,
    /** Bitmap of the settled pictures: 125 kB for a million. */
    settled: `${job}:settled`,
    /** Hash index -> how often a picture was begun, until it is settled. */
    begun: `${job}:begun`,
    /** Hash index -> failed picture: the dead-letter list. */
    dead: `${job}:dead`,
    /** Sorted set of the indexes in `dead`. */
    deadOrder: `${job}:dead-order`,
    /** List of failed pictures that get another chance, `<index> <source>`. */
    again: `${job}:again`,
    /** Set of the parts that are in the queue. */
    parts: `${job}:parts`,
  };
};

/** Hash index -> result of one part of a job. */
export const partKey = (id: string, part: number): string => `${jobKey(id)}:part:${part}`;
