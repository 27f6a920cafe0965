import type { JobStatus } from './job.ts';

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

/** Rates and times to what they are good for. */
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** What everybody may see of a job: answers, webhooks and `job.json` have this in them. */
export function jobView(status: JobStatus) {
  const { spec, found, done, failed, rate } = status;
  const waiting = found - done - failed;
  const secondsLeft =
    status.listed && rate !== undefined && status.finishedAt === undefined ? waiting / rate : undefined;
  const { source, output } = spec;
  return {
    id: status.id,
    state: status.state,
    source:
      source.kind === 'list'
        ? 'list'
        : `s3://${source.bucket}/${source.kind === 'prefix' ? source.prefix : source.key}`,
    output: output === undefined ? null : `s3://${output.bucket}/${output.prefix}`,
    priority: spec.priority,
    counts: { found, allFound: status.listed, done, failed, waiting, pages: status.pages },
    picturesPerSecond: rate === undefined ? null : rounded(rate, 2),
    secondsLeft: secondsLeft === undefined ? null : Math.ceil(secondsLeft),
    createdAt: iso(status.createdAt),
    startedAt: iso(status.startedAt),
    finishedAt: iso(status.finishedAt),
    error: status.error ?? null,
    webhook: status.webhook,
    retries: status.round,
  };
}

export type JobView = ReturnType<typeof jobView>;
