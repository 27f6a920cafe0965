import type { ErrorCode } from '../errors.ts';
import type { Page, ReadOptions } from '../ocr/page.ts';
import type { RgbImage } from '../ocr/rgb-image.ts';
import type { Reading } from '../ocr/text-recognition.ts';

/** One page of work for an engine process. Crosses the process boundary by structured clone. */
export interface ReadTask {
  readonly type: 'read';
  readonly id: number;
  /** Size of the encoded image file (jpg, png or bmp), which comes through a pipe of its own (picture-pipe.ts). */
  readonly imageBytes: number;
  readonly options: ReadOptions;
  /** Whether its lines may be read elsewhere too. Not for a page that has cost a process: what kills it stays in one. */
  readonly shared: boolean;
  /** Whether another process, and with it a core, has nothing to do as the page begins. */
  readonly coreToSpare: boolean;
}

/** What became of one page. Failures cross the boundary as values, never as exceptions. */
export type ReadOutcome =
  | { readonly ok: true; readonly page: Page }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly detail?: string };

/** A line image (48 px high) of a page, from the page's process through the server process to a helper. */
export interface LineImage {
  readonly type: 'line';
  /** Id of the page's task. */
  readonly page: number;
  /** Process id of the helper. */
  readonly helper: number;
  /** Which line of the page, as its process counts them. */
  readonly index: number;
  readonly image: RgbImage;
}

/** What a helper read in a line image, on the same way back. */
export interface LineReading {
  readonly type: 'reading';
  readonly page: number;
  readonly index: number;
  /** Left out if reading failed: the page's own process finds out why. */
  readonly reading?: Reading;
}

/** From the process of a page about its lines. Help may come any time later, or never. */
export type SharingMessage = { readonly type: 'help-wanted'; readonly page: number } | LineImage;

/** All that is said about shared lines to the server process. */
export type LineSharingMessage = SharingMessage | LineReading;

/** Server process to engine process. */
export type EngineRequest =
  | ReadTask
  /** To the process of a page that wanted help: this process has nothing to do. */
  | { readonly type: 'helper'; readonly page: number; readonly helper: number }
  | LineImage
  | LineReading;

/** Engine process to server process. */
export type EngineMessage =
  /** Models are loaded and the built-in sample was read right. */
  | { readonly type: 'ready'; readonly residentBytes: number }
  /** The process cannot work (models missing or damaged, sample read wrong) and is about to exit. For the log. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: ReadOutcome; readonly residentBytes: number }
  | LineSharingMessage;
