import type { FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import { OcrError } from '../errors.ts';
import type { Draining } from './draining.ts';
import { liveSchema, readySchema } from './schemas.ts';

export interface HealthRouteOptions {
  readonly engine: Pick<Engine, 'status'>;
  readonly draining: Draining;
}

/** `GET /health/live` and `GET /health/ready`, open to all. */
export function registerHealthRoutes(app: FastifyInstance, { engine, draining }: HealthRouteOptions): void {
  app.get('/health/live', { schema: liveSchema }, async () => ({ status: 'live' }));

  app.get('/health/ready', { schema: readySchema }, async () => {
    if (draining.begun) throw new OcrError('UNAVAILABLE', 'The server is shutting down; send requests elsewhere.');
    if (!engine.status().ready) {
      throw new OcrError('UNAVAILABLE', 'The engine processes are starting; the server is ready in a few seconds.');
    }
    return { status: 'ready' };
  });
}
