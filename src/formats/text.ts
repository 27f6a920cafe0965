import type { DocumentLine, DocumentPage, OcrDocument } from './document.ts';

/** Consecutive items with the same key. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  for (const item of items) {
    const group = groups.at(-1);
    if (group !== undefined && keyOf(group[0]) === keyOf(item)) group.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** The lines of each paragraph, row by row. */
export const rowsOfParagraphs = (page: DocumentPage): DocumentLine[][][] =>
  groupBy(page.lines, ({ paragraph }) => paragraph).map((lines) => groupBy(lines, ({ row }) => row));

/** A page's text: a line for each row, its cells parted by tabs; an empty line between paragraphs. No line feed at the end. */
export const pageText = (page: DocumentPage): string =>
  rowsOfParagraphs(page)
    .map((rows) => rows.map((cells) => cells.map(({ text }) => text.trim()).join('\t')).join('\n'))
    .join('\n\n');

/** The text of all pages, a form feed between pages as pdftotext and Tesseract have it. Ends with a line feed unless empty. */
export function toText(document: OcrDocument): string {
  const text = document.pages.map(pageText).join('\n\f');
  return text === '' ? '' : `${text}\n`;
}
