import { OcrError } from '../errors.ts';
import type { Page } from '../ocr/page.ts';

/** Pages of a file, from 1. */
export interface PageRange {
  readonly first: number;
  /** Absent: to the end. */
  readonly last?: number | undefined;
  /** Most pages that are read of one file. */
  readonly most: number;
}

/**
 * Reads the pages of one file, one after the other: each is a task of its own for the engine.
 *
 * @param read reads one page; without a number the only page of a picture
 * @param range absent: the file is a picture of one page
 * @throws {OcrError} INVALID_REQUEST for more pages than are read of one file; whatever `read` throws
 */
export async function readPages(
  read: (page: number | undefined) => Promise<Page>,
  range: PageRange | undefined,
): Promise<[Page, ...Page[]]> {
  const first = await read(range?.first);
  const pages: [Page, ...Page[]] = [first];
  for (const number of furtherPages(range, first.pageCount ?? 1)) pages.push(await read(number));
  return pages;
}

/** The pages of a range after its first. */
function furtherPages(range: PageRange | undefined, pageCount: number): number[] {
  if (range === undefined) return [];
  const { first, most } = range;
  const last = Math.min(range.last ?? pageCount, pageCount);
  if (last - first >= most) {
    throw new OcrError(
      'INVALID_REQUEST',
      `The file has ${pageCount} pages, and at most ${most} are read for one request. Choose some with \`pages\`, for ` +
        `example ${first}-${first + most - 1}; the operator can raise OCR_MAX_PAGES.`,
    );
  }
  return Array.from({ length: last - first }, (_, i) => first + 1 + i);
}
