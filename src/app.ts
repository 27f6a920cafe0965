import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import type { Admission } from './engine/admission.ts';
import type { Engine } from './engine/engine.ts';
import { OcrError } from './errors.ts';
import { createAuthority } from './http/auth.ts';
import { gateBodies } from './http/body-gate.ts';
import { createByteBudget } from './http/byte-budget.ts';
import { corsOptions } from './http/cors-options.ts';
import { collectOpenApi, registerDocs, registerOpenApiRoutes } from './http/docs.ts';
import { watchClosing } from './http/draining.ts';
import { answerMalformedHttp, handleError } from './http/error-handler.ts';
import { registerHealthRoutes } from './http/health-routes.ts';
import { registerJobRoutes } from './http/jobs-routes.ts';
import { registerInfoRoute } from './http/info-route.ts';
import type { Info } from './http/info-schema.ts';
import { acceptJson } from './http/json-body.ts';
import { isRoutine } from './http/log.ts';
import { registerMetricsRoute } from './http/metrics-route.ts';
import { registerOcrRoute } from './http/ocr-route.ts';
import { observeRequests } from './http/request-metrics.ts';
import { traceRequests } from './http/request-traces.ts';
import { registerPageRoute } from './http/page-route.ts';
import { refuseUnknownRoutes } from './http/unknown-route.ts';
import { acceptUploads } from './http/upload.ts';
import { registerV1Route } from './http/v1-route.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Metrics } from './metrics.ts';
import type { ModelPackDescription } from './models/describe-model-pack.ts';
import type { ImageLoader } from './source/load-image.ts';
import type { Tracing } from './tracing.ts';

/** Everything the app works with; nothing in it is started or closed by the app. */
export interface AppParts {
  readonly config: Config;
  readonly engine: Pick<Engine, 'read' | 'status' | 'refuseIfUnavailable'>;
  readonly admission: Pick<Admission, 'enter' | 'refuseIfFull'>;
  readonly images: Pick<ImageLoader, 'load'>;
  readonly metrics: Metrics;
  readonly modelPack: ModelPackDescription;
  /** Undefined: nothing is traced. */
  readonly tracing?: Pick<Tracing, 'begin'> | undefined;
  /** Undefined: there is no queue for jobs. */
  readonly jobs?: Jobs | undefined;
  readonly logger: FastifyBaseLogger;
}

/** Longest time that accepted requests get once `close()` was called; the process has 25 s in all (server.ts). */
const DRAIN_PATIENCE_MS = 20_000;

/**
 * Bytes that all requests together may hold, in largest requests: two at work and two arriving go on undisturbed. The
 * server process takes little more than this: a picture is decoded where its body is. Base64 with line breaks takes up to
 * three times as much for moments (JSON text, base64 text, picture).
 */
const HELD_LARGEST_REQUESTS = 4;

/** Headers are sent in one go; no client needs longer (nginx and Node allow 60 s). */
const HEADERS_TIMEOUT_MS = 10_000;

/** How often Node looks for requests over their time, so that limits hold to within 0.5 s; its default is 30 s. */
const TIMEOUT_CHECK_MS = 200;

/** Longer than the idle timeout of common load balancers (AWS ALB 60 s), so that they close first and never race us. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** A request id from outside is taken over only in this form: it goes into logs and headers. */
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** For everything but Swagger UI, which sets its own policy: an API answers data, nothing to render or to frame. */
const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * Largest request body for images of `maxImageBytes`: base64 makes 4 of 3 bytes, and in lines of 76 characters (MIME)
 * each line break takes four more as `\r\n` in JSON. 64 KiB are for the rest of the body.
 */
export function bodyLimitFor(maxImageBytes: number): number {
  return Math.ceil(maxImageBytes * (4 / 3) * (80 / 76)) + 65_536;
}

/** The limits that a caller may know, for `GET /v1/info`. */
function limitsOf(config: Config): Info['limits'] {
  return {
    maxImageBytes: config.OCR_MAX_IMAGE_BYTES,
    maxBodyBytes: bodyLimitFor(config.OCR_MAX_IMAGE_BYTES),
    maxSide: config.OCR_MAX_SIDE,
    minScore: config.OCR_MIN_SCORE,
    requestTimeoutMs: config.OCR_REQUEST_TIMEOUT_MS,
    pageTimeoutMs: config.OCR_PAGE_TIMEOUT_MS,
    fetchTimeoutMs: config.OCR_FETCH_TIMEOUT_MS,
    bodyTimeoutMs: config.OCR_BODY_TIMEOUT_MS,
    pagesAtATime: config.OCR_ENGINE_PROCESSES,
    pagesWaiting: config.OCR_QUEUE_LENGTH,
    requestsPerMinute: config.OCR_RATE_LIMIT_PER_MINUTE,
  };
}

function createFastify(config: Config, logger: FastifyBaseLogger): FastifyInstance {
  return Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: isRoutine }),
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: config.OCR_TRUSTED_PROXIES.length === 0 ? false : [...config.OCR_TRUSTED_PROXIES],
    requestTimeout: config.OCR_BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, config.OCR_BODY_TIMEOUT_MS),
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, config.OCR_BODY_TIMEOUT_MS),
    },
    // While closing, requests on open connections get our own answers (draining.ts).
    return503OnClosing: false,
    // Fields named __proto__ or constructor are unknown fields, and those are ignored.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, keywords: ['x-examples'] } },
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
      handleError(error, request, reply);
    },
    clientErrorHandler: answerMalformedHttp,
  });
}

/** Builds the HTTP application: every hook and route, in the order in which they work. No I/O happens here. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { config, engine, admission, images, metrics, modelPack, logger } = parts;
  const app = createFastify(config, logger);
  // Fastify's own parser for text/plain would turn a 415 into a 400.
  app.removeContentTypeParser('text/plain');
  acceptJson(app, config.OCR_MAX_IMAGE_BYTES);
  acceptUploads(app, config.OCR_MAX_IMAGE_BYTES);
  app.setErrorHandler(handleError);

  observeRequests(app, metrics);
  traceRequests(app, parts.tracing);
  const draining = watchClosing(app, DRAIN_PATIENCE_MS);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
  });
  if (config.OCR_CORS.length > 0) await app.register(cors, corsOptions(config.OCR_CORS));
  refuseUnknownRoutes(app);
  await collectOpenApi(app);

  const bodyLimit = bodyLimitFor(config.OCR_MAX_IMAGE_BYTES);
  const budget = createByteBudget(HELD_LARGEST_REQUESTS * bodyLimit);
  gateBodies(app, budget);
  const authority = createAuthority(config.OCR_API_KEYS);
  const rate = config.OCR_RATE_LIMIT_PER_MINUTE;
  if (rate > 0) {
    await app.register(rateLimit, {
      global: false,
      timeWindow: '1 minute',
      keyGenerator: authority.identify,
      errorResponseBuilder: (_request, { ttl }) =>
        new OcrError(
          'RATE_LIMITED',
          `More than ${rate} requests in a minute. Try again after \`Retry-After\` seconds.`,
          {
            retryAfterSeconds: ttl / 1000,
          },
        ),
    });
  }

  const pageRoute = {
    engine,
    admission,
    images,
    metrics,
    draining,
    budget,
    requestTimeoutMs: config.OCR_REQUEST_TIMEOUT_MS,
    maxSide: config.OCR_MAX_SIDE,
    minScore: config.OCR_MIN_SCORE,
    bodyLimit,
    authorize: authority.authorize,
    route: rate > 0 ? { rateLimit: { max: rate } } : {},
  };
  registerOcrRoute(app, pageRoute);
  await registerV1Route(app, {
    ...pageRoute,
    maxImageBytes: config.OCR_MAX_IMAGE_BYTES,
    moreFormats: config.OCR_MORE_FORMATS,
    maxPages: config.OCR_MAX_PAGES,
  });
  registerJobRoutes(app, {
    jobs: parts.jobs,
    authorize: authority.authorize,
    ownerOf: (request) => (config.OCR_API_KEYS.length === 0 ? '' : authority.identify(request)),
    route: pageRoute.route,
  });
  registerInfoRoute(app, { modelPack, limits: limitsOf(config), authorize: authority.authorize });
  registerHealthRoutes(app, { engine, draining });
  registerMetricsRoute(app, { metrics, ...(config.OCR_METRICS === 'key' ? { authorize: authority.authorize } : {}) });
  registerOpenApiRoutes(app);
  if (config.OCR_DOCS) await registerDocs(app);
  if (config.OCR_PAGE) registerPageRoute(app, { maxSide: config.OCR_MAX_SIDE, docs: config.OCR_DOCS });
  return app;
}
