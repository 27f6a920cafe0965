import { OcrError } from '../errors.ts';
import type { HttpPoster } from '../source/http-post.ts';
import type { S3Objects } from '../source/s3-objects.ts';
import { writeIndexPart } from './index-parts.ts';
import { jobView } from './job-view.ts';
import { summaryKey } from './output-keys.ts';
import type { Attempt, Chore } from './queue.ts';
import { webhookHeaders } from './webhook.ts';
import type { WorkStore } from './work-store.ts';

export interface ChoreParts {
  readonly store: WorkStore;
  readonly s3: Pick<S3Objects, 'read' | 'write'>;
  readonly poster: Pick<HttpPoster, 'post'>;
  /** OCR_JOBS_WEBHOOK_SECRET. */
  readonly webhookSecret: string;
  /** How long an ended job is kept. */
  readonly keepMs: number;
  readonly addChore: (chore: Chore) => Promise<void>;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Does what a job needs besides reading pictures. Each may be done again after a crash, to the same end. */
export function createChores(parts: ChoreParts): (chore: Chore, attempt: Attempt) => Promise<void> {
  const { store, s3, log } = parts;

  async function part(id: string, number: number): Promise<void> {
    const status = await store.status(id);
    if (status !== undefined) await writeIndexPart(parts, status, number);
  }

  async function finish(id: string): Promise<void> {
    const status = await store.status(id);
    if (status === undefined) return;
    const { output, webhook } = status.spec;
    if (output !== undefined) {
      for (const number of await store.parts(id)) await writeIndexPart(parts, status, number);
    }
    if (!(await store.finish(id, parts.keepMs, webhook !== undefined))) return;
    const ended = (await store.status(id)) ?? status;
    log.info({ job: id, state: ended.state, found: ended.found, done: ended.done, failed: ended.failed }, 'job ended');
    if (webhook !== undefined) await parts.addChore({ kind: 'webhook', job: id, round: ended.round });
    if (output !== undefined) await writeSummary(ended.id);
  }

  /** For people who look into the bucket; whatever needs to be sure asks the service. */
  async function writeSummary(id: string): Promise<void> {
    const status = await store.status(id);
    if (status?.spec.output === undefined) return;
    const { output } = status.spec;
    const summary = `${JSON.stringify(jobView(status), undefined, 2)}\n`;
    await s3.write(output.bucket, summaryKey(output, id), summary, 'application/json').catch((error: unknown) => {
      log.warn({ err: error, job: id }, 'job.json could not be written');
    });
  }

  async function webhook(id: string, round: number, attempt: Attempt): Promise<void> {
    const status = await store.status(id);
    // A retry has begun the job anew; it will end again.
    if (status?.spec.webhook === undefined || status.round !== round || status.finishedAt === undefined) return;
    const url = new URL(status.spec.webhook);
    const at = new Date();
    const body = JSON.stringify({ type: `job.${status.state}`, timestamp: at.toISOString(), data: jobView(status) });
    const headers = webhookHeaders(parts.webhookSecret, `${id}.${round}`, Math.floor(at.getTime() / 1000), body);
    try {
      const answer = await parts.poster.post(url, body, headers);
      if (answer < 200 || answer > 299) throw new OcrError('SOURCE_UNAVAILABLE', `The webhook answered ${answer}.`);
      await store.webhookEnded(id, 'delivered');
      log.info({ job: id, host: url.host }, 'webhook delivered');
    } catch (error) {
      const known = error instanceof OcrError ? { reason: error.message, detail: error.detail } : { err: error };
      log.warn({ job: id, host: url.host, attempt: attempt.number, ...known }, 'webhook not delivered');
      if (!attempt.isLast) throw error;
      await store.webhookEnded(id, 'failed');
    }
  }

  return (chore, attempt) => {
    switch (chore.kind) {
      case 'part':
        return part(chore.job, chore.part);
      case 'finish':
        return finish(chore.job);
      case 'webhook':
        return webhook(chore.job, chore.round, attempt);
    }
  };
}
