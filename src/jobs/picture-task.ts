import { OcrError } from '../errors.ts';
import { PART_SIZE, type JobSpec, type PictureResult, type PublicError } from './job.ts';
import { NotNow, type Attempt, type Chore, type PictureTask } from './queue.ts';
import type { WorkStore } from './work-store.ts';

/** Reads one picture and puts its result where the job wants it. */
export type ReadPicture = (
  picture: { readonly source: string; readonly index: number },
  spec: JobSpec,
) => Promise<Omit<PictureResult, 'index' | 'source' | 'status'>>;

export interface PictureTaskParts {
  readonly store: Pick<WorkStore, 'begin' | 'settle'>;
  readonly readPicture: ReadPicture;
  /** Whether pages can be read now at all. */
  readonly isReady: () => boolean;
  readonly addChore: (chore: Chore) => Promise<void>;
  /** Told how many pictures of a job are still handed out. */
  readonly onSettled: (out: number) => void;
  /** How often a picture is tried that fails for a reason that may pass. */
  readonly tries: number;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/**
 * Workers that may end while they have a picture, before it is given up. A picture cannot end a worker: it is read in an
 * engine process of its own. What ends workers is the machine (restarts, memory), and that several times in a row for one
 * picture is most likely its doing after all.
 */
const MAX_WORKER_DEATHS = 8;

/**
 * Failures that may pass by themselves. All others are of the picture, and the same the next time; one that has ended two engine
 * processes (ENGINE_CRASHED) would end two more.
 */
const MAY_PASS: readonly string[] = [
  'SOURCE_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'OVERLOADED',
  'UNAVAILABLE',
  'INTERNAL',
];

/**
 * Reads a picture of a job and settles it. May run twice for one picture, even at the same time: the result is the same,
 * it is written to the same place, and only one of them is counted.
 */
export function createPictureTask(parts: PictureTaskParts): (task: PictureTask, attempt: Attempt) => Promise<void> {
  const { store, log } = parts;

  async function resultOf(task: PictureTask, attempt: Attempt): Promise<PictureResult | undefined> {
    const begun = await store.begin(task.job, task.index);
    if (begun === undefined) return undefined;
    const { source, times, spec } = begun;
    const picture = { index: task.index, source };
    if (times > parts.tries + MAX_WORKER_DEATHS) {
      return { ...picture, status: 'failed', error: endedWorkers(times - 1), tries: times - 1 };
    }
    try {
      return { ...picture, status: 'done', ...(await parts.readPicture(picture, spec)) };
    } catch (error) {
      if (!(error instanceof OcrError)) log.error({ err: error, ...task }, 'a picture failed unexpectedly');
      const known = error instanceof OcrError ? error : new OcrError('INTERNAL', INTERNAL_MESSAGE);
      log.info({ ...task, code: known.code, detail: known.detail, attempt: attempt.number }, 'picture failed');
      if (MAY_PASS.includes(known.code) && !attempt.isLast) throw error;
      return { ...picture, status: 'failed', error: { code: known.code, message: known.message }, tries: times };
    }
  }

  return async (task, attempt) => {
    if (!parts.isReady()) throw new NotNow();
    const result = await resultOf(task, attempt);
    if (result === undefined) return;
    const settled = await store.settle(task.job, result);
    const part = Math.floor(task.index / PART_SIZE);
    if (settled.partIsSettled && result.output !== undefined)
      await parts.addChore({ kind: 'part', job: task.job, part });
    if (settled.jobIsSettled) await parts.addChore({ kind: 'finish', job: task.job });
    parts.onSettled(settled.out);
  };
}

const INTERNAL_MESSAGE =
  'Something went wrong inside the worker. It is a bug, not your picture; the operator finds the cause in the log under the id of the job.';

const endedWorkers = (times: number): PublicError => ({
  code: 'INTERNAL',
  message: `${times} workers have ended while they had this picture, so it is not read any more. The operator finds in the system's log what ended them.`,
});
