import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { closedLoop, SAMPLE_BODY, type Answer } from './client.ts';

/** Good requests, one at a time, until `stop` is called, which gives their answers. */
export interface GoodRequests {
  /** So many answers have come. */
  readonly answered: number;
  stop(): Promise<Answer[]>;
}

/**
 * Sends them from a thread of its own: what the impolite clients cost their own event loop must not show as slowness of the
 * service.
 */
export function startGoodRequests(url: string): GoodRequests {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url } });
  let answered = 0;
  const answers = new Promise<Answer[]>((resolve, reject) => {
    worker.on('message', (message: Answer[] | 'answered') => {
      if (message === 'answered') answered += 1;
      else resolve(message);
    });
    worker.once('error', reject);
  });
  return {
    get answered() {
      return answered;
    },
    stop() {
      worker.postMessage('stop');
      return answers;
    },
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const { url } = workerData as { url: string };
  const stopped = new AbortController();
  port.once('message', () => stopped.abort());
  const answers: Answer[] = [];
  await closedLoop(url, SAMPLE_BODY, 1, stopped.signal, (answer) => {
    answers.push(answer);
    port.postMessage('answered');
  });
  port.postMessage(answers);
}
