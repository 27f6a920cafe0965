import type { OcrDocument } from '../formats/document.ts';
import { toJsonDocument } from '../formats/json.ts';
import { FORMAT_TRAITS, FORMATS, type Format, type FormatOptions, renderDocument } from '../formats/render-document.ts';
import type { ReadOptions } from '../ocr/page.ts';
import { OVERLAY_EXTENSION } from './picture-list.ts';

/** Text first, which is the default. */
export const FORMAT_NAMES: readonly Format[] = ['text', ...FORMATS.filter((format) => format !== 'text')];

/** Between two documents on standard output. Of the other formats two in a row would be no valid file. */
const BETWEEN: Readonly<Partial<Record<Format, string>>> = {
  // A form feed parts pages, as in the text of a document with several.
  text: '\f',
  // One document a line.
  json: '',
  // A thematic break, as between the pages of a document.
  markdown: '\n---\n\n',
};

/** One way to write a document down. */
export interface ResultFormat {
  /** Of the files in the output folder, with its dot. */
  readonly extension: string;
  /** Between two documents on standard output; undefined where there can be only one. */
  readonly between: string | undefined;
  /** True for bytes that no terminal can show. */
  readonly binary: boolean;
  /** What pages have to be read with. */
  readonly needs: Required<Pick<ReadOptions, 'characters' | 'picture'>>;
  /** @param file the picture as the user named it, which JSON tells */
  readonly write: (document: OcrDocument, file: string) => string | Uint8Array | Promise<Uint8Array>;
}

export function resultFormat(name: Format, options: FormatOptions): ResultFormat {
  const { extension, needsCharacters, needsPicture } = FORMAT_TRAITS[name];
  const asked = options.words || options.characters;
  return {
    extension,
    between: BETWEEN[name],
    binary: name === 'pdf',
    needs: { characters: needsCharacters || asked, picture: needsPicture },
    write: (document, file) =>
      name === 'json'
        ? `${JSON.stringify({ file, ...toJsonDocument(document, options) })}\n`
        : renderDocument(document, name, options),
  };
}

/** The picture with what was read drawn onto it. */
export const OVERLAY: ResultFormat = {
  extension: OVERLAY_EXTENSION,
  between: undefined,
  binary: true,
  needs: { characters: false, picture: true },
  async write({ pages: [page] }) {
    // Loaded when the first is drawn: few runs need the image library in this process.
    const { drawOverlay } = await import('./overlay.ts');
    return drawOverlay(page);
  },
};
