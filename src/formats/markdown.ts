import type { DocumentLine, DocumentPage, OcrDocument } from './document.ts';
import { rowsOfParagraphs } from './text.ts';

/** Text this many times as high as the page's usual one is a heading of the first, of the second level. */
const FIRST_LEVEL = 1.9;
const SECOND_LEVEL = 1.4;
/** A paragraph of more rows than this is no heading, however large. */
const MAX_HEADING_ROWS = 2;

/**
 * Markdown (CommonMark): paragraphs of running text as one line each, headings by size, other rows kept apart by hard
 * breaks; pages parted by a rule. There are no tables: the cells of a row stand side by side.
 */
export function toMarkdown(document: OcrDocument): string {
  const text = document.pages.map(pageMarkdown).join('\n\n---\n\n');
  return text.trim() === '' ? '' : `${text}\n`;
}

function pageMarkdown(page: DocumentPage): string {
  const usual = usualHeight(page.lines);
  return rowsOfParagraphs(page)
    .map((rows) => paragraphMarkdown(rows, usual))
    .join('\n\n');
}

function paragraphMarkdown(rows: readonly DocumentLine[][], usual: number): string {
  const texts = rows.map((cells) => escapeInline(cells.map(({ text }) => text.trim()).join(' ')));
  const height = Math.min(...rows.map(([{ height }]) => height));
  if (rows.length <= MAX_HEADING_ROWS && height >= SECOND_LEVEL * usual) {
    return `${height >= FIRST_LEVEL * usual ? '#' : '##'} ${texts.reduce(joinRunning)}`;
  }
  let markdown = escapeStart(texts[0]);
  for (let i = 1; i < rows.length; i++) {
    const running = rows[i - 1].length === 1 && rows[i].length === 1 && rows[i - 1][0].full;
    markdown = running ? joinRunning(markdown, texts[i]) : `${markdown}\\\n${escapeStart(texts[i])}`;
  }
  return markdown;
}

const UNSPACED = '[\\p{Script=Han}\\u3000-\\u303f\\uff00-\\uffef]';
const ENDS_UNSPACED = new RegExp(`${UNSPACED}$`, 'u');
const STARTS_UNSPACED = new RegExp(`^${UNSPACED}`, 'u');

/** Two rows of running text as one; only scripts with spaces between words get one. */
const joinRunning = (a: string, b: string): string =>
  ENDS_UNSPACED.test(a) || STARTS_UNSPACED.test(b) ? a + b : `${a} ${b}`;

/** Height of the page's text, by characters. */
function usualHeight(lines: readonly DocumentLine[]): number {
  const heights = lines.flatMap(({ text, height }) => Array.from<number>({ length: [...text].length }).fill(height));
  return heights.toSorted((a, b) => a - b)[heights.length >> 1] ?? 0;
}

/** Characters that mean something to Markdown anywhere in a line. */
const escapeInline = (text: string): string => text.replace(/[\\`*_[\]<>|~&$]/g, '\\$&');

/** Those that mean something at the start of a line: headings, lists, rules. */
const escapeStart = (text: string): string =>
  text.replace(/^(#{1,6}(?=\s|$)|[-+=](?=[\s-=]|$)|\d{1,9}(?=[.)](?:\s|$)))/, (start) =>
    /^\d/.test(start) ? `${start}\\` : `\\${start}`,
  );
