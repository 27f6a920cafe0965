import type { Page } from '../ocr/page.ts';

/** A page that was read, with what writers may say of the picture. */
export interface ReadPicture {
  /** As the user named it. */
  readonly file: string;
  /** The encoded picture. */
  readonly bytes: Uint8Array;
  readonly page: Page;
}

/** One way to write a page down. */
export interface ResultFormat {
  /** Of the files in the output folder, with its dot. */
  readonly extension: string;
  /** Between two pages on standard output; undefined where two in a row would be no valid document. */
  readonly between: string | undefined;
  readonly write: (picture: ReadPicture) => string | Uint8Array | Promise<string | Uint8Array>;
}

const FORMATS = {
  text: {
    extension: '.txt',
    // A form feed ends a page, as pdftotext and tesseract have it.
    between: '\f',
    write: ({ page }) => page.lines.map(({ text }) => `${text}\n`).join(''),
  },
  json: {
    extension: '.json',
    between: '',
    write: ({ file, page }) => `${JSON.stringify({ file, ...page })}\n`,
  },
} as const satisfies Record<string, ResultFormat>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

export const formatNamed = (name: FormatName): ResultFormat => FORMATS[name];
