import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { Admission } from '../engine/admission.ts';
import type { Engine } from '../engine/engine.ts';
import { readPages, type PageRange } from '../engine/read-pages.ts';
import { OcrError } from '../errors.ts';
import { giveBack } from '../give-back.ts';
import type { Metrics } from '../metrics.ts';
import type { Page, ReadOptions } from '../ocr/page.ts';
import { parseSource, type ImageLoader, type ImageSource } from '../source/load-image.ts';
import type { ByteBudget } from './byte-budget.ts';
import { toContractLine } from './contract-line.ts';
import type { Draining } from './draining.ts';
import { startDeadline } from './request-deadline.ts';
import { generalOcrSchema, type Duration, type OcrLine, type OcrRequest } from './schemas.ts';
import type { Upload } from './upload.ts';

export interface OcrRouteOptions {
  readonly engine: Pick<Engine, 'read' | 'refuseIfUnavailable'>;
  readonly admission: Pick<Admission, 'enter' | 'refuseIfFull'>;
  readonly budget: ByteBudget;
  readonly images: Pick<ImageLoader, 'load'>;
  readonly metrics: Pick<Metrics, 'observePage'>;
  readonly draining: Draining;
  /** Total time of a request after its body has arrived. */
  readonly requestTimeoutMs: number;
  /** Longest side of an image in pixels. */
  readonly maxSide: number;
  /** Lines with a lower score are left out, 0..1. */
  readonly minScore: number;
  /** Largest request body in bytes. */
  readonly bodyLimit: number;
  /** Passes a request that may use the API, throws UNAUTHORIZED otherwise. */
  readonly authorize: (request: FastifyRequest) => void;
  /** Further Fastify options of the route (its rate limit). */
  readonly route?: RouteShorthandOptions['config'];
}

/**
 * The kit's documented Python client sends its JSON without a content type, and API Gateway let that through: a body
 * without one is JSON here too. Any other content type is refused with 415.
 */
function assumeJson(request: FastifyRequest): void {
  request.raw.headers['content-type'] ??= 'application/json';
}

const EMPTY = Buffer.alloc(0);

/** An `ImageSource`, or the file itself: what came as a form or as a raw body, or was decoded with the JSON around it. */
type PictureSource = ImageSource | { kind: 'file' | 'base64'; bytes: Buffer };

/** `url` has priority, whatever the body is (contract). */
function toSource({ url, img }: OcrRequest | Upload, inlineImage: Buffer | null): PictureSource {
  if (url === undefined && inlineImage !== null) return { kind: 'base64', bytes: inlineImage };
  if (url === undefined && Buffer.isBuffer(img)) return { kind: 'file', bytes: img };
  return parseSource({ ...(url === undefined ? {} : { url }), ...(typeof img === 'string' ? { img } : {}) });
}

/** What the log may know of a source: neither path nor query, which may be secret. */
function describeSource(source: PictureSource): { kind: string; host?: string } {
  if (source.kind === 'url') return { kind: source.kind, host: new URL(source.url).host };
  return source.kind === 's3' ? { kind: source.kind, host: source.bucket } : { kind: source.kind };
}

function toAnswer(page: Page, minScore: number): (OcrLine | Duration)[] {
  return page.lines.filter((line) => line.confidence >= minScore).map((line) => toContractLine(line, page));
}

/** What became of a request's picture, and when, in milliseconds since its body had arrived. */
export interface PictureReading {
  /** One, unless several were asked for. */
  readonly pages: readonly [Page, ...Page[]];
  /** For the log. */
  readonly source: { kind: string; host?: string };
  readonly bytes: number;
  readonly fetchMs: number;
  readonly totalMs: number;
}

/**
 * Reads the picture that a request gives or names; with `pages` a file of any format, page after page, each one a task of
 * its own for the engine, all in the time of one request.
 */
export type PictureReader = (
  body: Pick<OcrRequest, 'url' | 'img'> | Upload,
  choices: Omit<ReadOptions, 'maxSide' | 'page'>,
  reply: FastifyReply,
  pages?: PageRange,
) => Promise<PictureReading>;

/** The whole way of a request on one screen. */
export function createPictureReader(options: OcrRouteOptions): PictureReader {
  const { engine, admission, images, metrics, draining, budget } = options;

  return async (body, choices, reply, range) => {
    if (draining.begun) throw new OcrError('UNAVAILABLE', 'The server is shutting down. Send the request again.');
    const startedAt = performance.now();
    const { request } = reply;
    const source = toSource(body, request.inlineImage);
    const leave = admission.enter();
    const deadline = startDeadline({ timeoutMs: options.requestTimeoutMs, response: reply.raw, draining });
    // Of what is fetched; the body has its own (body-gate.ts).
    const account = budget.open((reason) => deadline.abort(reason));
    let image: Buffer = EMPTY;
    try {
      engine.refuseIfUnavailable();
      image =
        'bytes' in source ? source.bytes : await images.load(source, deadline.signal, (bytes) => account.add(bytes));
      account.settle();
      // Up to 70 MB of text that nobody needs any more; the request lives as long as its answer takes.
      if ('data' in source) source.data = '';
      if ('bytes' in source) source.bytes = EMPTY;
      delete body.img;
      request.inlineImage = null;
      const fetchedAt = performance.now();
      deadline.enter('waiting for an engine process or reading the image');
      let fetchMs = fetchedAt - startedAt;
      const read = async (page: number | undefined): Promise<Page> => {
        const askedAt = performance.now();
        const { maxSide } = options;
        const asked = { ...choices, ...(page === undefined ? {} : { page }), maxSide };
        const answer = await engine.read(image, asked, deadline.signal);
        const observation = { page: answer, fetchMs, engineMs: performance.now() - askedAt };
        // The file was fetched once, for its first page.
        fetchMs = 0;
        metrics.observePage(observation);
        request.trace?.addPage(observation);
        return answer;
      };
      const pages = await readPages(read, range);
      const readAt = performance.now();
      return {
        pages,
        source: describeSource(source),
        bytes: image.length,
        fetchMs: fetchedAt - startedAt,
        totalMs: readAt - startedAt,
      };
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      // The engine has let go of it, or will find nothing to read.
      giveBack(image);
      account.close();
      deadline.end();
      leave();
    }
  };
}

/** What has to hold before the body of a request for a page is received; the same for every route that reads one. */
export function pageRouteOptions(options: OcrRouteOptions) {
  return {
    bodyLimit: options.bodyLimit,
    config: options.route ?? {},
    onRequest: async (request: FastifyRequest) => {
      options.authorize(request);
      assumeJson(request);
      // Both are asked again when the body is there; up to 70 MB need not be received and parsed to be refused.
      options.engine.refuseIfUnavailable();
      options.admission.refuseIfFull();
    },
  };
}

/** What the log says of a page that was read. */
export function logPage(request: FastifyRequest, { source, bytes, pages }: PictureReading, lines: number): void {
  const [{ width, height }] = pages;
  const several = pages.length === 1 ? {} : { pages: pages.length };
  request.log.info({ source, bytes, width, height, lines, ...several }, 'page read');
}

/** `POST /general_ocr`. */
export function registerOcrRoute(app: FastifyInstance, options: OcrRouteOptions): void {
  const readPicture = createPictureReader(options);
  app.post<{ Body: OcrRequest | Upload }>(
    '/general_ocr',
    { schema: generalOcrSchema, ...pageRouteOptions(options) },
    async (request, reply) => {
      const { body } = request;
      const reading = await readPicture(body, {}, reply);
      const answer = toAnswer(reading.pages[0], options.minScore);
      logPage(request, reading, answer.length);
      if (body.duration === true) answer.push({ duration: reading.totalMs / 1000 });
      return answer;
    },
  );
}
