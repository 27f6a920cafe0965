import type { FastifyInstance } from 'fastify';
import { OcrError } from '../errors.ts';

/**
 * The process is gone this long after SIGTERM at the latest. Compose, systemd and the Helm chart kill it 5 s later
 * (`test/deploy/chart.test.ts` compares them).
 */
export const CLOSE_MS = 25_000;

/** Whether the service is shutting down. */
export interface Draining {
  readonly begun: boolean;
  /** Aborted, with an UNAVAILABLE as its reason, when requests that were accepted may no longer take their time. */
  readonly signal: AbortSignal;
}

/**
 * Follows `app.close()`: from its first moment on the service is not ready and every answer carries `Connection: close`
 * (Fastify waits for idle keep-alive connections otherwise), and after `patienceMs` what still runs is answered 503.
 */
export function watchClosing(app: FastifyInstance, patienceMs: number): Draining {
  const controller = new AbortController();
  const state = { begun: false, signal: controller.signal };

  app.addHook('preClose', async () => {
    state.begun = true;
    // Unreferenced: when nothing runs any more, nobody waits for it.
    setTimeout(() => {
      controller.abort(
        new OcrError('UNAVAILABLE', 'The server is shutting down and could not finish the request. Send it again.'),
      );
    }, patienceMs).unref();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (state.begun) reply.header('connection', 'close');
  });
  return state;
}
