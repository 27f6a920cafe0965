import type { ErrorCode } from '../errors.ts';
import type { Page, ReadOptions } from '../ocr/page.ts';

/** One page of work for an engine process. Crosses the process boundary by structured clone. */
export interface ReadTask {
  readonly type: 'read';
  readonly id: number;
  /** The encoded image file (jpg, png or bmp). */
  readonly image: Uint8Array;
  readonly options: ReadOptions;
}

/** What became of one page. Failures cross the boundary as values, never as exceptions. */
export type ReadOutcome =
  | { readonly ok: true; readonly page: Page }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly detail?: string };

/** Server process to engine process. */
export type EngineRequest = ReadTask;

/** Engine process to server process. */
export type EngineMessage =
  /** Models are loaded and the built-in sample was read right. */
  | { readonly type: 'ready'; readonly residentBytes: number }
  /** The process cannot work (models missing or damaged, sample read wrong) and is about to exit. For the log. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: ReadOutcome; readonly residentBytes: number };
