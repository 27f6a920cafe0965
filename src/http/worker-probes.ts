import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import type { Metrics } from '../metrics.ts';
import { watchClosing } from './draining.ts';
import { handleError } from './error-handler.ts';
import { registerHealthRoutes } from './health-routes.ts';
import { isRoutine } from './log.ts';
import { registerMetricsRoute } from './metrics-route.ts';
import { ErrorSchema } from './schemas.ts';

export interface WorkerProbesOptions {
  readonly engine: Pick<Engine, 'status'>;
  readonly metrics: Metrics;
  readonly logger: FastifyBaseLogger;
}

/** The probes and figures of a worker, as a server has them; a worker answers nothing else. */
export async function buildProbes({ engine, metrics, logger }: WorkerProbesOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: isRoutine }),
  });
  app.setErrorHandler(handleError);
  app.decorateReply('errorCode', null);
  app.addSchema(ErrorSchema);
  // Nothing of it is worth waiting for.
  const draining = watchClosing(app, 0);
  registerHealthRoutes(app, { engine, draining });
  registerMetricsRoute(app, { metrics });
  return app;
}
