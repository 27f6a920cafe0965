import type { ProcessHandle } from './process-handle.ts';
import type { LineSharingMessage } from './protocol.ts';

/** One page in one process. */
interface PageReader {
  readonly process: ProcessHandle;
  readonly page: number;
}

/**
 * Brings pages together with processes that have nothing to do, and carries lines and readings between them, in the server
 * process. Nothing has to be taken back: who helps is known by comparing with what the processes do now, so that a helper
 * that gets a page, dies or is replaced is simply not found any more.
 */
export class LineExchange {
  /** Pages whose process has asked for help. */
  #wanting: PageReader[] = [];
  readonly #helped = new Map<ProcessHandle, PageReader>();
  readonly #lineTimeoutMs: number;

  /** @param lineTimeoutMs time that a helper may take for one line before it is killed as hung */
  constructor(lineTimeoutMs: number) {
    this.#lineTimeoutMs = lineTimeoutMs;
  }

  hear(process: ProcessHandle, message: LineSharingMessage): void {
    if (message.type === 'help-wanted') {
      this.#wanting.push({ process, page: message.page });
    } else if (message.type === 'line') {
      const helper = this.#helpersOf({ process, page: message.page }).find(({ pid }) => pid === message.helper);
      helper?.readLine(message, this.#lineTimeoutMs);
    } else {
      this.pageHelpedBy(process)?.process.post(message);
    }
  }

  /** Lends these idle processes to the pages that have asked, to those with the fewest helpers first. */
  lend(idle: readonly ProcessHandle[]): void {
    this.#wanting = this.#wanting.filter(isBeingRead);
    for (const process of this.#helped.keys()) if (!this.pageHelpedBy(process)) this.#helped.delete(process);
    for (const helper of idle) {
      if (this.#helped.has(helper)) continue;
      const [reader] = this.#wanting.toSorted((a, b) => this.#helpersOf(a).length - this.#helpersOf(b).length);
      if (reader === undefined) return;
      this.#helped.set(helper, reader);
      reader.process.post({ type: 'helper', page: reader.page, helper: helper.pid });
    }
  }

  /** The page that an idle process is lent to. */
  pageHelpedBy(process: ProcessHandle): PageReader | undefined {
    const reader = this.#helped.get(process);
    return reader !== undefined && process.state === 'idle' && isBeingRead(reader) ? reader : undefined;
  }

  #helpersOf({ process, page }: PageReader): ProcessHandle[] {
    return [...this.#helped.keys()].filter((helper) => {
      const reader = this.pageHelpedBy(helper);
      return reader?.process === process && reader.page === page;
    });
  }
}

const isBeingRead = ({ process, page }: PageReader): boolean => process.page === page;
