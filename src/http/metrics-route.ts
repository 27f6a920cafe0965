import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';
import { metricsSchema } from './schemas.ts';

/** `GET /metrics`: Prometheus text format. Open to all: it holds counts, never contents. */
export function registerMetricsRoute(app: FastifyInstance, { metrics }: { readonly metrics: Metrics }): void {
  app.get('/metrics', { schema: metricsSchema }, async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
}
