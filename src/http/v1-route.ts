import type { FastifyInstance, FastifyReply } from 'fastify';
import { toDocument } from '../formats/document.ts';
import { toJsonDocument } from '../formats/json.ts';
import { readChoices } from '../formats/read-choices.ts';
import { FORMAT_TRAITS, renderDocument } from '../formats/render-document.ts';
import {
  createPictureReader,
  logPage,
  pageRouteOptions,
  type OcrRouteOptions,
  type PictureReading,
} from './ocr-route.ts';
import { acceptFiles, acceptForms } from './upload.ts';
import { toV1Options, type V1Options } from './v1-options.ts';
import { MORE_TYPES, V1_OPTION_NAMES, v1OcrSchema, type V1Body, type V1Query } from './v1-schemas.ts';

export interface V1RouteOptions extends OcrRouteOptions {
  /** Largest image file in bytes. */
  readonly maxImageBytes: number;
  /** Whether WebP, TIFF, GIF, AVIF and PDF are taken as well. */
  readonly moreFormats: boolean;
  /** Most pages of a file that are read for one request. */
  readonly maxPages: number;
}

/**
 * `POST /v1/ocr`: the engine, limits, errors and inputs of `/general_ocr`, with options, and with everything that is
 * known of a page, or a file made of it.
 */
export async function registerV1Route(app: FastifyInstance, options: V1RouteOptions): Promise<void> {
  const readPicture = createPictureReader(options);
  // A scope of its own: its forms have more fields than those of the contract.
  await app.register(async (scope) => {
    scope.removeContentTypeParser('multipart/form-data');
    acceptForms(scope, options.maxImageBytes, V1_OPTION_NAMES);
    if (options.moreFormats) acceptFiles(scope, options.maxImageBytes, MORE_TYPES);
    scope.post<{ Body: V1Body; Querystring: V1Query }>(
      '/v1/ocr',
      { schema: v1OcrSchema, ...pageRouteOptions(options) },
      async (request, reply) => {
        const asked = toV1Options(request.body, request.query, request.headers);
        const reading = await readPicture(
          request.body,
          readChoices(asked),
          reply,
          options.moreFormats ? { ...asked.pages, most: options.maxPages } : undefined,
        );
        return answer(reply, reading, asked, asked.minScore ?? options.minScore, (lines) =>
          logPage(request, reading, lines),
        );
      },
    );
  });
}

function answer(
  reply: FastifyReply,
  { pages, fetchMs, totalMs }: PictureReading,
  asked: V1Options,
  minScore: number,
  log: (lines: number) => void,
): object | string | Buffer {
  const document = toDocument(pages, { minScore, firstPage: asked.pages.first });
  log(document.pages.reduce((sum, { lines }) => sum + lines.length, 0));
  reply.header('vary', 'accept');
  if (asked.format === 'json') {
    const readMs = pages.reduce((sum, { timings }) => sum + timings.totalMs, 0);
    const timings = { fetchMs, waitMs: Math.max(totalMs - fetchMs - readMs, 0), totalMs };
    const rounded = Object.fromEntries(Object.entries(timings).map(([name, ms]) => [name, Math.round(ms * 10) / 10]));
    return { ...toJsonDocument(document, asked), timings: rounded };
  }
  const { mediaType } = FORMAT_TRAITS[asked.format];
  reply.type(asked.format === 'pdf' ? mediaType : `${mediaType}; charset=utf-8`);
  return renderDocument(document, asked.format, asked);
}
