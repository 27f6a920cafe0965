import type { FastifyInstance, FastifyRequest } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import type { ModelPackDescription } from '../models/describe-model-pack.ts';
import { type Info, infoSchema, InfoSchema } from './info-schema.ts';
import { IMAGE_TYPES } from './upload.ts';

export interface InfoRouteOptions {
  readonly modelPack: ModelPackDescription;
  readonly limits: Info['limits'];
  /** Passes a request that may use the API, throws UNAUTHORIZED otherwise. */
  readonly authorize: (request: FastifyRequest) => void;
}

/** `GET /v1/info`: asks for a key where keys are set, because an exact version helps those who look for a weakness. */
export function registerInfoRoute(app: FastifyInstance, { modelPack, limits, authorize }: InfoRouteOptions): void {
  app.addSchema(InfoSchema);
  const info: Info = {
    version: packageJson.version,
    node: process.version,
    modelPack: { ...modelPack, files: [...modelPack.files] },
    imageTypes: [...IMAGE_TYPES],
    limits,
  };
  app.get('/v1/info', { schema: infoSchema, onRequest: async (request) => authorize(request) }, async () => info);
}
