import { clearLine, cursorTo } from 'node:readline';
import type { Output } from './context.ts';

// Looked at in November 2026: the packages that draw a bar with rate and time left had no release for years (cli-progress
// since 2023, progress since 2019), and those that are well kept (ora, log-update) draw spinners or lines and leave bar,
// rate and time left to their user, for six to eight packages more. Node itself can redraw a line.

/** How far a run has come. Draws on a terminal, does nothing elsewhere. */
export interface ProgressBar {
  /** One more is done. */
  advance(failed: boolean): void;
  /** Takes the bar off the screen, so that something else can be written; the next `advance` draws it again. */
  clear(): void;
}

export interface ProgressOptions {
  readonly total: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const BAR_WIDTH = 24;

/** Ten drawings a second are smooth to the eye; a terminal over a slow line takes no harm. */
const REDRAW_MS = 100;

/** Columns of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

export function createProgressBar(stream: Output, options: ProgressOptions): ProgressBar {
  if (!stream.isTTY) return { advance: () => undefined, clear: () => undefined };
  const { total, now = () => performance.now() } = options;
  const start = now();
  let done = 0;
  let failed = 0;
  let drawnAt = -Infinity;
  let shown = false;

  const clear = (): void => {
    if (!shown) return;
    cursorTo(stream, 0);
    clearLine(stream, 0);
    shown = false;
  };
  const draw = (): void => {
    const line = progressLine({ total, done, failed, seconds: (now() - start) / 1000 });
    clear();
    // A line that reaches the last column wraps, and what is wrapped cannot be cleared.
    stream.write(line.slice(0, (stream.columns ?? DEFAULT_COLUMNS) - 1));
    shown = true;
    drawnAt = now();
  };
  draw();
  return {
    advance(isFailure) {
      done += 1;
      if (isFailure) failed += 1;
      if (!shown || done === total || now() - drawnAt >= REDRAW_MS) draw();
    },
    clear,
  };
}

export interface ProgressState {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Since the start. */
  readonly seconds: number;
}

/** The bar as text: `[######------------------] 18/72  25 %  3.1 pages/s  0:17 left  1 failed`. */
export function progressLine({ total, done, failed, seconds }: ProgressState): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * BAR_WIDTH);
  const parts = [
    `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${done}/${total}`,
    `${Math.floor(share * 100)} %`,
  ];
  if (done > 0 && seconds > 0) {
    const rate = done / seconds;
    parts.push(formatRate(rate), `${formatDuration((total - done) / rate)} left`);
  }
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join('  ');
}

/** Two figures at least: slow machines read less than a page a second. */
export function formatRate(pagesPerSecond: number): string {
  return `${pagesPerSecond.toFixed(pagesPerSecond < 1 ? 2 : 1)} pages/s`;
}

/** `0:17`, `2:05`, `1:02:05`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
