import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';

/**
 * Answers what no route takes: 405 with `Allow` where the path exists under another method (RFC 9110, section 15.5.6),
 * else 404. Fastify alone answers 404 to both. To be called before the first route.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const methodsOfPath = new Map<string, Set<string>>();

  /** Of a path, or of a route with parameters that takes it. */
  const methodsAt = (path: string): ReadonlySet<string> | undefined =>
    methodsOfPath.get(path) ?? [...methodsOfPath].find(([pattern]) => takes(pattern, path))?.[1];

  const refuse = (request: FastifyRequest, reply: FastifyReply): never => {
    const allowed = methodsAt(request.url.split('?', 1)[0]);
    if (allowed === undefined || allowed.has(request.method)) {
      throw new OcrError(
        'NOT_FOUND',
        'There is nothing at this path. Text is read with POST /general_ocr; /openapi.json describes the whole API.',
      );
    }
    const methods = [...allowed].sort().join(', ');
    reply.header('allow', methods);
    throw new OcrError('METHOD_NOT_ALLOWED', `This path takes ${methods} only.`);
  };

  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOfPath.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOfPath.set(url, methods);
  });
  // Before the body: a wrong method with a wrong content type is a wrong method.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
}

/** Whether a pattern with parameters (`/v1/jobs/:id`) takes a path. */
function takes(pattern: string, path: string): boolean {
  if (!pattern.includes('/:')) return false;
  const [wanted, given] = [pattern, path].map((text) => text.split('/'));
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => (segment.startsWith(':') ? given[i] !== '' : segment === given[i]))
  );
}
