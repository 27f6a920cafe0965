import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { startService } from '../test/running-service.ts';
import type { LabelledImage } from './labelled-set.ts';
import { lineChart } from './plot.ts';
import { PATIENT, postSet } from './post-set.ts';
import { log, median, report, rounded } from './report.ts';

/** Longest sides of the square pages, all with the same 64 lines, and line counts of pages of the largest size. */
const SIDES = [1024, 1448, 2048, 2508, 2896, 3238, 3547, 4096];
const LINES = [1, 100, 200, 400, 600, 800, 1000];
const LARGEST = 4096;
/** Cells of the largest page: 20 columns, 50 rows. Words in even rows at other distances are now and then found as one. */
const CELL = { width: 204, columns: 20 };
/** The words in the sample picture that fill a cell, in its pixels, and what they say. */
const WORDS = { left: 44, top: 182, width: 54, height: 34, text: '编号' };
/** They are drawn this much larger: 48 px high letters are found in one look at 4096 px. */
const ENLARGED = 2;
const SAMPLE = new URL('../docs/images/sample.png', import.meta.url);

interface Point {
  /** Megapixels, or lines. */
  readonly x: number;
  readonly seconds: number;
  readonly linesRead: number;
}

/** A straight line through points by least squares, and how well they lie on it. */
export interface Fit {
  readonly intercept: number;
  readonly slope: number;
  /** Coefficient of determination, at most 1. */
  readonly r2: number;
  /** Largest distance of a point above the line, as a share of the line there: a knee shows as one. */
  readonly worstExcess: number;
}

/** @param points at least two, of different x */
export function fitLine(points: readonly { readonly x: number; readonly seconds: number }[]): Fit {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const mx = mean(points.map(({ x }) => x));
  const my = mean(points.map(({ seconds }) => seconds));
  const slope =
    points.reduce((sum, { x, seconds }) => sum + (x - mx) * (seconds - my), 0) /
    points.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const intercept = my - slope * mx;
  const at = (x: number): number => intercept + slope * x;
  const rest = points.reduce((sum, { x, seconds }) => sum + (seconds - at(x)) ** 2, 0);
  const total = points.reduce((sum, { seconds }) => sum + (seconds - my) ** 2, 0);
  const worstExcess = Math.max(...points.map(({ x, seconds }) => seconds / at(x) - 1));
  return { intercept, slope, r2: total === 0 ? 1 : 1 - rest / total, worstExcess };
}

/** White pages of the largest size with the same words in `count` cells; JPEG of quality 90, as a camera's. */
async function pageOf(count: number, side: number): Promise<LabelledImage> {
  const { left, top, width, height } = WORDS;
  const words = await sharp(await readFile(SAMPLE))
    .extract({ left, top, width, height })
    .resize(width * ENLARGED, height * ENLARGED)
    .toBuffer();
  const rows = Math.ceil(count / CELL.columns);
  const page = await sharp({ create: { width: LARGEST, height: LARGEST, channels: 3, background: '#fff' } })
    .composite(
      Array.from({ length: count }, (_, i) => ({
        input: words,
        left: 40 + (i % CELL.columns) * CELL.width,
        // Few rows are spread over the page, so that what is found does not depend on how dense they are.
        top: 10 + Math.floor((Math.floor(i / CELL.columns) * (LARGEST - 60)) / rows),
      })),
    )
    .png()
    .toBuffer();
  const bytes = await sharp(page).resize(side, side).jpeg({ quality: 90 }).toBuffer();
  return { file: `${count} lines, ${side} px`, bytes, texts: Array.from({ length: count }, () => WORDS.text) };
}

/** Time of a page against its megapixels and against its lines, one page at a time through HTTP. */
export async function measureGrowth(rounds: number, outDir: string): Promise<void> {
  const service = await startService(PATIENT, { built: true });
  try {
    const timed = async (pages: readonly { x: number; page: LabelledImage }[]): Promise<Point[]> => {
      const times = pages.map((): number[] => []);
      const read = pages.map(() => 0);
      // Round 0 compiles the code and grows the memory, and is not counted.
      for (let round = 0; round <= rounds; round++) {
        for (const [i, { page }] of pages.entries()) {
          const { seconds, predictions } = await postSet(service.url, [page], 1);
          if (round > 0) times[i]?.push(seconds);
          read[i] = (predictions[page.file] ?? []).filter(({ words }) => words.includes(WORDS.text)).length;
          log(`growth: ${page.file}: ${rounded(seconds)} s, ${read[i]} lines`);
        }
      }
      return pages.map(({ x }, i) => ({ x, seconds: median(times[i] ?? []), linesRead: read[i] ?? 0 }));
    };
    const bySize = await timed(
      await Promise.all(SIDES.map(async (side) => ({ x: side ** 2 / 1e6, page: await pageOf(64, side) }))),
    );
    const byLines: Point[] = await timed(
      await Promise.all(LINES.map(async (count) => ({ x: count, page: await pageOf(count, LARGEST) }))),
    );
    await write(outDir, rounds, bySize, byLines);
  } finally {
    await service.stop();
  }
}

async function write(outDir: string, rounds: number, bySize: Point[], byLines: Point[]): Promise<void> {
  const fits = { megapixels: fitLine(bySize), lines: fitLine(byLines) };
  await mkdir(outDir, { recursive: true });
  const draw = (file: string, title: string, xLabel: string, points: readonly Point[], fit: Fit): Promise<void> => {
    const ends = [points[0], points.at(-1)].map((p) => [p?.x ?? 0, fit.intercept + fit.slope * (p?.x ?? 0)] as const);
    const series = {
      name: 'one page at a time',
      points: points.map(({ x, seconds }) => [x, seconds] as const),
      fit: ends,
    };
    return writeFile(path.join(outDir, file), lineChart(title, xLabel, 'seconds', [series]));
  };
  await draw('growth-megapixels.svg', 'Time of a page of 64 lines by its size', 'megapixels', bySize, fits.megapixels);
  await draw('growth-lines.svg', 'Time of a page of 4096 x 4096 by its lines', 'lines', byLines, fits.lines);
  const row = (what: string, points: readonly Point[], fit: Fit) => ({
    what,
    from: `${rounded(points[0]?.x ?? 0)}: ${rounded(points[0]?.seconds ?? 0)} s`,
    to: `${rounded(points.at(-1)?.x ?? 0)}: ${rounded(points.at(-1)?.seconds ?? 0)} s`,
    'lines read, the last page': points.at(-1)?.linesRead ?? 0,
    'ms for one more': rounded(1000 * fit.slope, 1),
    'r²': rounded(fit.r2, 3),
    'farthest above the line': `${rounded(100 * fit.worstExcess, 0)} %`,
  });
  await report(outDir, 'growth', { rounds, bySize, byLines, fits }, [
    row('megapixels (64 lines)', bySize, fits.megapixels),
    row('lines (4096 x 4096 px)', byLines, fits.lines),
  ]);
}
