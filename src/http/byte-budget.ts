import { OcrError } from '../errors.ts';

/**
 * Bounds the bytes that all requests together hold in the memory of the server process: bodies that arrive, pictures that
 * are fetched, and both until the answer. Places (`admission.ts`) bound the number of pages at work; they cannot bound
 * this, because a request takes its place only when its body is there, so that slow senders keep nobody out.
 */
export interface ByteBudget {
  /**
   * Opens an account for what one request receives.
   *
   * @param onEvicted called at most once, when the room is needed: stop receiving, let go, answer with the error
   */
  open(onEvicted: (reason: OcrError) => void): ByteAccount;
  /** Bytes of all open accounts. */
  readonly heldBytes: number;
}

export interface ByteAccount {
  /** Counts what has just arrived. May evict this or another account that still receives. */
  add(bytes: number): void;
  /** Everything has arrived: from now on it is work in progress and not evicted. */
  settle(): void;
  /** Nothing is held any more. Further calls do nothing. */
  close(): void;
}

/** Seconds: a page or two are finished by then, and their bytes are free. */
const RETRY_SECONDS = 1;

interface Holder extends ByteAccount {
  bytes: number;
  receiving: boolean;
  evict(reason: OcrError): void;
}

/**
 * Over the limit the account that holds most of what has not arrived whole has to go. Not the one that came last: a few
 * large bodies that stall would then shut everybody out until their time is up, and small requests are what a
 * service under attack can still serve.
 *
 * @param limitBytes at least the largest request, or that one would never pass
 */
export function createByteBudget(limitBytes: number): ByteBudget {
  const holders = new Set<Holder>();
  let held = 0;

  const largestReceiving = (): Holder | undefined => {
    let largest: Holder | undefined;
    for (const holder of holders) {
      if (holder.receiving && holder.bytes > (largest?.bytes ?? 0)) largest = holder;
    }
    return largest;
  };

  const makeRoom = (): void => {
    while (held > limitBytes) {
      const holder = largestReceiving();
      if (holder === undefined) return;
      holder.close();
      holder.evict(
        new OcrError(
          'OVERLOADED',
          'The pictures that this server is receiving and reading fill its memory. Try again later, or send a smaller file.',
          { detail: `over ${limitBytes} bytes held`, retryAfterSeconds: RETRY_SECONDS },
        ),
      );
    }
  };

  return {
    get heldBytes() {
      return held;
    },
    open(onEvicted) {
      const holder: Holder = {
        bytes: 0,
        receiving: true,
        evict: onEvicted,
        add(bytes) {
          if (!holders.has(holder)) return;
          holder.bytes += bytes;
          held += bytes;
          makeRoom();
        },
        settle() {
          holder.receiving = false;
        },
        close() {
          if (holders.delete(holder)) held -= holder.bytes;
        },
      };
      holders.add(holder);
      return holder;
    },
  };
}
