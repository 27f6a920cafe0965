import Negotiator from 'negotiator';
import type { IncomingHttpHeaders } from 'node:http';
import { OcrError } from '../errors.ts';
import { FORMAT_TRAITS, FORMATS, type Format } from '../formats/render-document.ts';
import type { Orientation, Region, TextLayerUse } from '../ocr/page.ts';
import type { V1Body, V1Query } from './v1-schemas.ts';

/** What a request to `/v1/ocr` asks for. */
export interface V1Options {
  readonly format: Format;
  readonly minScore: number | undefined;
  readonly region: Region | undefined;
  readonly orientation: Orientation;
  readonly textLayer: TextLayerUse;
  readonly words: boolean;
  readonly characters: boolean;
  readonly pages: { readonly first: number; readonly last: number | undefined };
}

/** Names that media types have elsewhere, beside those of `FORMAT_TRAITS`. */
const ALIASES: readonly (readonly [mediaType: string, format: Format])[] = [
  ['text/html', 'hocr'],
  ['application/xml', 'alto'],
  ['text/xml', 'alto'],
];

const FORMAT_OF_TYPE: ReadonlyMap<string, Format> = new Map([
  ...FORMATS.map((format) => [FORMAT_TRAITS[format].mediaType, format] as const),
  ...ALIASES,
]);

/**
 * The options of a request whose schemas have been checked: fields of the body, then of the query, then the defaults.
 *
 * @param headers `Accept` chooses the format if nothing else does (RFC 9110, section 12.5.1); one that names none of our
 *   types is not refused but answered as JSON
 */
export function toV1Options(body: V1Body, query: V1Query, headers: IncomingHttpHeaders): V1Options {
  const { minScore, region, orientation, textLayer, words, characters, pages } = { ...query, ...body };
  return {
    format: body.format ?? query.format ?? acceptedFormat(headers) ?? 'json',
    minScore: minScore === undefined ? undefined : Number(minScore),
    region: typeof region === 'string' ? parseRegion(region) : region,
    orientation: orientation ?? 'auto',
    textLayer: textLayer ?? 'auto',
    words: words === true || words === 'true',
    characters: characters === true || characters === 'true',
    pages: parsePages(pages),
  };
}

/** Four whole numbers; the schema has seen to that. */
function parseRegion(text: string): Region {
  const [left = 0, top = 0, width = 1, height = 1] = text.split(',').map(Number);
  return { left, top, width, height };
}

/**
 * `3`, `3-5` or `3-`; nothing stands for all.
 *
 * @throws {OcrError} INVALID_REQUEST for a range that ends before it begins
 */
function parsePages(text: string | undefined): V1Options['pages'] {
  if (text === undefined) return { first: 1, last: undefined };
  const [from = '', to] = text.split('-');
  const first = Number(from);
  const last = to === undefined ? first : to === '' ? undefined : Number(to);
  if (last !== undefined && last < first) {
    throw new OcrError('INVALID_REQUEST', `\`pages\` ends before it begins: ${text}. ${PAGES_HELP}`);
  }
  return { first, last };
}

/** For messages. */
const PAGES_HELP = 'Give a page or a range, for example 3, 3-5 or 3- (from page 3 on).';

function acceptedFormat(headers: IncomingHttpHeaders): Format | undefined {
  const preferred = new Negotiator({ headers }).mediaType([...FORMAT_OF_TYPE.keys()]);
  return preferred === undefined ? undefined : FORMAT_OF_TYPE.get(preferred);
}
