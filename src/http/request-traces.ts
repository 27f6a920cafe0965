import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestTrace, Tracing } from '../tracing.ts';
import { CLIENT_LEFT_STATUS } from './error-handler.ts';
import { isRoutine } from './log.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** For the stages of a page; null where nothing is traced. */
    trace: RequestTrace | null;
  }
}

/** Traces every request but probes, scrapes and files. Without `tracing` it only declares that nothing is traced. */
export function traceRequests(app: FastifyInstance, tracing: Pick<Tracing, 'begin'> | undefined): void {
  app.decorateRequest('trace', null);
  if (tracing === undefined) return;

  const end = (request: FastifyRequest, status: number, code: string): void => {
    request.trace?.end({ method: request.method, route: request.routeOptions.url ?? 'unknown', status, code });
    request.trace = null;
  };
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (isRoutine(request)) return;
    const { traceparent } = request.headers;
    request.trace = tracing.begin(typeof traceparent === 'string' ? traceparent : undefined);
    // Fastify calls onResponse only for answers that were sent.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) end(request, CLIENT_LEFT_STATUS, 'ABANDONED');
    });
  });
  app.addHook('onResponse', async (request: FastifyRequest, reply: FastifyReply) => {
    end(request, reply.statusCode, reply.errorCode ?? 'OK');
  });
}
