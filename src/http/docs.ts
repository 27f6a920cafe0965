import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import { DurationSchema, ErrorSchema, OcrLineSchema } from './schemas.ts';
import { V1CharacterSchema, V1DocumentSchema, V1LineSchema, V1PageSchema, V1WordSchema } from './v1-schemas.ts';

/**
 * Everything from this server, nothing from elsewhere. Unlike the plugin's own policy it does not upgrade requests to
 * https, which would break the page on every host but localhost. Swagger UI sets style attributes and shows its icons
 * as `data:` images.
 */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'General OCR',
    version: packageJson.version,
    description:
      'Reads Simplified Chinese, digits, Latin letters and symbols in pictures. A drop-in, on-premises replacement for the General OCR (Simplified Chinese) API of the AWS AI Solution Kit.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  },
  tags: [
    { name: 'ocr', description: 'Reading text' },
    { name: 'jobs', description: 'Reading many pictures (docs/jobs.md)' },
    { name: 'health', description: 'Probes and figures' },
  ],
  components: {
    securitySchemes: {
      apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'One of the keys of OCR_API_KEYS.' },
      bearer: { type: 'http', scheme: 'bearer', description: 'The same key as `Authorization: Bearer`.' },
    },
  },
} satisfies FastifyDynamicSwaggerOptions['openapi'];

/** Collects the OpenAPI document from the schemas of the routes that are registered after it. */
export async function collectOpenApi(app: FastifyInstance): Promise<void> {
  const v1 = [V1CharacterSchema, V1DocumentSchema, V1LineSchema, V1PageSchema, V1WordSchema];
  for (const schema of [ErrorSchema, OcrLineSchema, DurationSchema, ...v1]) app.addSchema(schema);
  await app.register(swagger, {
    openapi: structuredClone(OPENAPI),
    // Components keep our names; the plugin calls them def-0, def-1 … by itself.
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  });
}

/** `GET /openapi.json` and `GET /openapi.yaml`: the same document as the committed `openapi.yaml`. */
export function registerOpenApiRoutes(app: FastifyInstance): void {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) => {
    // RFC 9512
    reply.type('application/yaml; charset=utf-8');
    return app.swagger({ yaml: true });
  });
}

/** Swagger UI at `/docs`, served from the installed package. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    theme: { title: OPENAPI.info.title },
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true, displayRequestDuration: true },
  });
}
