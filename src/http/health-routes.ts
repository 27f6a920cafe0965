import type { FastifyInstance } from 'fastify';
import type { Engine, EngineStatus } from '../engine/engine.ts';
import { OcrError } from '../errors.ts';
import type { Draining } from './draining.ts';
import { liveSchema, readySchema } from './schemas.ts';

export interface HealthRouteOptions {
  readonly engine: Pick<Engine, 'status'>;
  readonly draining: Draining;
}

/** Why an engine takes no pages, for the operator who looks at a probe that fails. */
export function explainNotReady({ processes, restarts }: Pick<EngineStatus, 'processes' | 'restarts'>): string {
  const works = processes.filter(({ state }) => state !== 'starting').length;
  const progress = `${works} of ${processes.length} engine processes ${works === 1 ? 'has' : 'have'} read the built-in sample`;
  return restarts === 0
    ? `The engine processes are starting: ${progress}. The server is ready in a few seconds.`
    : `Engine processes ended and are being started again: ${progress}, ${restarts} restarts so far. The log says why at "engine process ended".`;
}

/** `GET /health/live` and `GET /health/ready`, open to all. */
export function registerHealthRoutes(app: FastifyInstance, { engine, draining }: HealthRouteOptions): void {
  app.get('/health/live', { schema: liveSchema }, async () => ({ status: 'live' }));

  app.get('/health/ready', { schema: readySchema }, async () => {
    if (draining.begun) throw new OcrError('UNAVAILABLE', 'The server is shutting down; send requests elsewhere.');
    const status = engine.status();
    if (!status.ready) throw new OcrError('UNAVAILABLE', explainNotReady(status));
    return { status: 'ready' };
  });
}
