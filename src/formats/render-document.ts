import { toAlto } from './alto.ts';
import type { OcrDocument } from './document.ts';
import { toHocr } from './hocr.ts';
import { toJson } from './json.ts';
import { toMarkdown } from './markdown.ts';
import { toPdf } from './pdf.ts';
import { toText } from './text.ts';
import { toTsv } from './tsv.ts';

/** What a document can be written as. */
export const FORMATS = ['json', 'text', 'markdown', 'tsv', 'hocr', 'alto', 'pdf'] as const;

export type Format = (typeof FORMATS)[number];

export interface FormatOptions {
  /** JSON only: words with their boxes. The other formats with words always have them. */
  readonly words: boolean;
  /** JSON, hOCR and ALTO: characters with their boxes. */
  readonly characters: boolean;
}

export interface FormatTraits {
  /** For `Content-Type`. */
  readonly mediaType: string;
  /** For file names, with its dot. */
  readonly extension: string;
  /** Whether pages have to be read with `ReadOptions.characters` even if nobody asked for words. */
  readonly needsCharacters: boolean;
  /** Whether pages have to be read with `ReadOptions.picture`. */
  readonly needsPicture: boolean;
}

const TEXT = { needsCharacters: false, needsPicture: false };
const LAYOUT = { needsCharacters: true, needsPicture: false };

/** Media types: RFC 8259, RFC 7763, IANA's registry for tab-separated values, the hOCR specification, RFC 8118. */
export const FORMAT_TRAITS: Readonly<Record<Format, FormatTraits>> = {
  json: { mediaType: 'application/json', extension: '.json', ...TEXT },
  text: { mediaType: 'text/plain', extension: '.txt', ...TEXT },
  markdown: { mediaType: 'text/markdown', extension: '.md', ...TEXT },
  tsv: { mediaType: 'text/tab-separated-values', extension: '.tsv', ...LAYOUT },
  hocr: { mediaType: 'text/vnd.hocr+html', extension: '.hocr', ...LAYOUT },
  alto: { mediaType: 'application/alto+xml', extension: '.xml', ...LAYOUT },
  pdf: { mediaType: 'application/pdf', extension: '.pdf', needsCharacters: true, needsPicture: true },
};

/** Writes a document in a format: bytes for PDF, text (to be encoded as UTF-8) for all others. */
export function renderDocument(document: OcrDocument, format: Format, options: FormatOptions): string | Buffer {
  switch (format) {
    case 'json':
      return toJson(document, options);
    case 'text':
      return toText(document);
    case 'markdown':
      return toMarkdown(document);
    case 'tsv':
      return toTsv(document);
    case 'hocr':
      return toHocr(document, options);
    case 'alto':
      return toAlto(document, options);
    case 'pdf':
      return toPdf(document);
  }
}
