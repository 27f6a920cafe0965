import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { SCRIPTS } from './scripts.ts';

export type { Redis } from 'ioredis';
export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number | Buffer;

/** Runs one of `SCRIPTS`. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<unknown>;

/**
 * `answer`: commands of requests, which fail after a moment when Redis is away. `work`: commands of workers, which wait
 * until it is back; one whose answer was lost is sent again.
 */
export type RedisUse = 'answer' | 'work';

/** Longest wait between two attempts to connect, so that a restart of Redis is over for everybody soon after it is over. */
const LONGEST_RECONNECT_MS = 1000;

/** How long a request waits for Redis. */
const ANSWER_TIMEOUT_MS = 3000;

/** The same complaint is told this often: while Redis is away every connection complains every second. */
const SAME_COMPLAINT_MS = 10_000;

/** Passes on what is new, and what is not only now and then. */
export function lessOften(onError: (error: Error) => void): (error: Error) => void {
  const told = new Map<string, number>();
  return (error) => {
    const now = Date.now();
    for (const [message, at] of told) if (now - at >= SAME_COMPLAINT_MS) told.delete(message);
    if (told.has(error.message)) return;
    told.set(error.message, now);
    onError(error);
  };
}

/**
 * Opens a connection in the background.
 *
 * @param onError told what the connection complains of, at every attempt; without somebody listening ioredis would print it
 */
export function connectRedis(url: string, use: RedisUse, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    retryStrategy: (attempt) => Math.min(attempt * 50, LONGEST_RECONNECT_MS),
    ...(use === 'work'
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 1, commandTimeout: ANSWER_TIMEOUT_MS, connectTimeout: ANSWER_TIMEOUT_MS }),
  });
  redis.on('error', onError);
  return redis;
}

const SHA1 = new Map(
  Object.entries(SCRIPTS).map(([name, lua]) => [name, createHash('sha1').update(lua).digest('hex')]),
);

/** Scripts by their hash; a server that was restarted has forgotten them and gets the text. */
export function scriptsOn(redis: Redis): RunScript {
  return async (name, keys, args) => {
    try {
      return await redis.evalsha(SHA1.get(name) ?? '', keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(SCRIPTS[name], keys.length, ...keys, ...args);
    }
  };
}
