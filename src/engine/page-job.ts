import type { OcrError } from '../errors.ts';
import type { Page, ReadOptions } from '../ocr/page.ts';
import { abortError, type PageStage } from './engine-errors.ts';

/** One accepted page and the promise of its caller, which is kept exactly once whatever happens to the processes. */
export class PageJob {
  readonly image: Uint8Array;
  readonly options: ReadOptions;
  readonly page: Promise<Page>;
  stage: PageStage = 'waiting';
  /** Processes that died while they read it. */
  deaths = 0;

  readonly #resolve: (page: Page) => void;
  readonly #reject: (error: OcrError) => void;
  readonly #onSettled: (job: PageJob) => void;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.reject(abortError(this.#signal, this.stage));
  #settled = false;

  /** `onSettled` is called once, before the caller hears of it. A signal that is aborted already must not come here. */
  constructor(image: Uint8Array, options: ReadOptions, signal: AbortSignal, onSettled: (job: PageJob) => void) {
    this.image = image;
    this.options = options;
    this.#signal = signal;
    this.#onSettled = onSettled;
    ({ promise: this.page, resolve: this.#resolve, reject: this.#reject } = Promise.withResolvers<Page>());
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** False once the caller has been answered: nobody waits for this page any more. */
  get wanted(): boolean {
    return !this.#settled;
  }

  resolve(page: Page): void {
    if (this.#settle()) this.#resolve(page);
  }

  reject(error: OcrError): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#onSettled(this);
    return true;
  }
}
