import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.ts';
import { CLIENT_LEFT_STATUS } from './error-handler.ts';

/** Counts every request once: with its answer, or as abandoned when the client left before it. */
export function observeRequests(app: FastifyInstance, metrics: Pick<Metrics, 'observeRequest'>): void {
  const observe = (request: FastifyRequest, status: number, code: string, milliseconds: number): void => {
    metrics.observeRequest({
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status,
      code,
      seconds: milliseconds / 1000,
    });
  };
  app.decorateReply('errorCode', null);
  app.addHook('onResponse', async (request: FastifyRequest, reply: FastifyReply) => {
    observe(request, reply.statusCode, reply.errorCode ?? 'OK', reply.elapsedTime);
  });
  // Fastify calls onResponse only for answers that were sent.
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) observe(request, CLIENT_LEFT_STATUS, 'ABANDONED', reply.elapsedTime);
    });
  });
}
