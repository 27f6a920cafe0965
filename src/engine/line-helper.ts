import { recognizeText } from '../ocr/text-recognition.ts';
import type { Session } from '../ocr/session.ts';
import type { LineImage, LineReading } from './protocol.ts';

/** Reads line images of pages that other processes read, in a process that has no page of its own. */
export class LineHelper {
  readonly #recognizer: Session;
  readonly #charset: readonly string[];
  readonly #send: (reading: LineReading) => Promise<void>;
  #lines: LineImage[] = [];
  #working: Promise<void> | undefined;

  constructor(recognizer: Session, charset: readonly string[], send: (reading: LineReading) => Promise<void>) {
    this.#recognizer = recognizer;
    this.#charset = charset;
    this.#send = send;
  }

  add(line: LineImage): void {
    // Nobody waits for lines of an earlier page.
    this.#lines = [...this.#lines.filter(({ page }) => page === line.page), line];
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Leaves what has not been begun; resolves when the line in work is done. To be called before a page is read here. */
  async stop(): Promise<void> {
    this.#lines = [];
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      const { page, index, image } = line;
      const reading = await recognizeText(image, this.#recognizer, this.#charset).catch(() => undefined);
      await this.#send({ type: 'reading', page, index, ...(reading && { reading }) });
    }
  }
}
