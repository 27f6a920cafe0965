import type { JobSpec, JobState, JobStatus } from './job.ts';

const time = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/**
 * A job out of its hash; undefined where there is none.
 *
 * @param now milliseconds since 1970
 */
export function toJobStatus(id: string, hash: Readonly<Record<string, string>>, now: number): JobStatus | undefined {
  const { state, spec } = hash;
  if (state === undefined || spec === undefined) return undefined;
  const done = Number(hash.done);
  const failed = Number(hash.failed);
  const startedAt = time(hash.started);
  const finishedAt = time(hash.finished);
  const seconds = startedAt === undefined ? 0 : ((finishedAt ?? now) - startedAt) / 1000;
  const overall = seconds > 0 && done + failed > 0 ? (done + failed) / seconds : undefined;
  return {
    id,
    // What was cancelled does nothing more, however long the index takes.
    state: hash.cancelled === undefined ? (state as JobState) : 'cancelled',
    spec: JSON.parse(spec) as JobSpec,
    found: Number(hash.found),
    listed: hash.listed === '1',
    done,
    failed,
    pages: Number(hash.pages),
    createdAt: Number(hash.created),
    startedAt,
    finishedAt,
    rate: hash.rate === undefined ? overall : Number(hash.rate),
    error:
      hash.errorCode === undefined ? undefined : { code: hash.errorCode, message: hash.errorMessage ?? hash.errorCode },
    webhook: (hash.webhook ?? 'none') as JobStatus['webhook'],
    round: Number(hash.round),
  };
}
