import { readPages } from '../engine/read-pages.ts';
import type { Engine } from '../engine/engine.ts';
import { toDocument, type OcrDocument } from '../formats/document.ts';
import { toJsonDocument } from '../formats/json.ts';
import { readChoices } from '../formats/read-choices.ts';
import { FORMAT_TRAITS, renderDocument } from '../formats/render-document.ts';
import type { Page } from '../ocr/page.ts';
import { parseSource, type ImageLoader } from '../source/load-image.ts';
import type { S3Objects } from '../source/s3-objects.ts';
import type { JobSpec } from './job.ts';
import { outputKey } from './output-keys.ts';
import type { ReadPicture } from './picture-task.ts';

/** A page that was read, and the milliseconds its picture spent on the way there. */
export interface JobPageObservation {
  readonly page: Page;
  readonly fetchMs: number;
  readonly engineMs: number;
}

export interface ReadPictureParts {
  readonly engine: Pick<Engine, 'read'>;
  readonly images: Pick<ImageLoader, 'load'>;
  readonly s3: Pick<S3Objects, 'write'>;
  readonly onPage: (observation: JobPageObservation, spec: JobSpec) => void;
  /** Time of a picture: fetching, waiting and reading. */
  readonly timeoutMs: number;
  /** Longest side of an image in pixels. */
  readonly maxSide: number;
  /** Where a job does not say. */
  readonly minScore: number;
  /** Whether WebP, TIFF, GIF, AVIF and PDF are taken. */
  readonly moreFormats: boolean;
  /** Most pages of a file. */
  readonly maxPages: number;
}

/** The way of a picture through a worker: the loader, the engine and the formats of `POST /v1/ocr`. */
export function createReadPicture(parts: ReadPictureParts): ReadPicture {
  const { engine, images, s3 } = parts;

  async function readDocument(source: string, spec: JobSpec): Promise<OcrDocument> {
    const { options } = spec;
    const signal = AbortSignal.timeout(parts.timeoutMs);
    const startedAt = performance.now();
    const image = await images.load(parseSource({ url: source }), signal);
    let fetchMs = performance.now() - startedAt;
    const read = async (page: number | undefined): Promise<Page> => {
      const askedAt = performance.now();
      const asked = { ...readChoices(options), ...(page === undefined ? {} : { page }), maxSide: parts.maxSide };
      const answer = await engine.read(image, asked, signal);
      parts.onPage({ page: answer, fetchMs, engineMs: performance.now() - askedAt }, spec);
      // The file was fetched once, for its first page.
      fetchMs = 0;
      return answer;
    };
    const range = parts.moreFormats ? { ...options.pages, most: parts.maxPages } : undefined;
    const pages = await readPages(read, range);
    return toDocument(pages, { minScore: options.minScore ?? parts.minScore, firstPage: options.pages.first });
  }

  return async ({ source, index }, spec) => {
    const document = await readDocument(source, spec);
    const lines = document.pages.reduce((sum, page) => sum + page.lines.length, 0);
    const counts = { pages: document.pages.length, lines };
    const { format } = spec.options;
    const { output } = spec;
    if (output === undefined) return { ...counts, document: withoutTimings(document, spec) };
    const key = outputKey(output, spec.source, { source, index }, FORMAT_TRAITS[format].extension);
    const body =
      format === 'json'
        ? `${JSON.stringify(withoutTimings(document, spec))}\n`
        : renderDocument(document, format, spec.options);
    await s3.write(output.bucket, key, body, FORMAT_TRAITS[format].mediaType);
    return { ...counts, output: `s3://${output.bucket}/${key}` };
  };
}

/** As `POST /v1/ocr` answers it, less what differs from one reading to the next: a result is the same bytes whoever made it. */
function withoutTimings(document: OcrDocument, { options }: JobSpec): object {
  const { pages, ...rest } = toJsonDocument(document, options);
  return { ...rest, pages: pages.map((page) => ({ ...page, timings: undefined })) };
}
