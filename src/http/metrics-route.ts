import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.ts';
import { metricsSchema } from './schemas.ts';

export interface MetricsRouteOptions {
  readonly metrics: Metrics;
  /** Passes a request that may see the figures, throws UNAUTHORIZED otherwise; left out: open to all. */
  readonly authorize?: (request: FastifyRequest) => void;
}

/** `GET /metrics`: Prometheus text format. It holds counts, never contents. */
export function registerMetricsRoute(app: FastifyInstance, { metrics, authorize }: MetricsRouteOptions): void {
  const onRequest = async (request: FastifyRequest): Promise<void> => authorize?.(request);
  app.get('/metrics', { schema: metricsSchema, onRequest }, async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
}
