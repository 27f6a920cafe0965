import type { Info, OcrDocument, OcrLine, Region } from './answers.ts';
import type { operations } from './api.ts';
import { NoAnswerError, notOurs, OcrError, serviceError, ServiceError } from './errors.ts';
import { pictureForm, type Picture } from './picture-form.ts';

export interface GeneralOcrOptions {
  /** Where the service is, with any path in front of it; GENERAL_OCR_URL of the environment, else http://localhost:8080. */
  readonly baseUrl?: string | URL;
  /** Sent as `x-api-key`; GENERAL_OCR_API_KEY of the environment, else none. */
  readonly apiKey?: string;
  /** Most milliseconds that a call takes, with all its tries and the waits between them. */
  readonly timeoutMs?: number;
  /** How many more times a call is tried after 429, 503 (but `ENGINE_CRASHED`) or a broken connection; reading changes nothing. */
  readonly retries?: number;
  /** Instead of the global `fetch`: for a proxy, a certificate of your own, or a trace. */
  readonly fetch?: typeof fetch;
}

/** For one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Instead of the client's `timeoutMs`. */
  readonly timeoutMs?: number;
}

type Query = NonNullable<operations['ocr']['parameters']['query']>;

/** What `POST /v1/ocr` answers besides JSON. */
export type FileFormat = Exclude<NonNullable<Query['format']>, 'json'>;

/** How to read; what is left out is the service's to decide. */
export interface DocumentOptions extends CallOptions {
  /** Lines with a lower confidence are left out, 0 to 1. */
  readonly minScore?: number;
  /** Reads this rectangle only, as if there were nothing around it. */
  readonly region?: Region;
  /** `off` takes the picture as upright. */
  readonly orientation?: NonNullable<Query['orientation']>;
  /** `off` reads the pages of a PDF as pictures even where their text layer can be believed. */
  readonly textLayer?: NonNullable<Query['textLayer']>;
  /** Words with their boxes in the document. */
  readonly words?: boolean;
  /** Characters with their places, in the document, hocr and alto. */
  readonly characters?: boolean;
  /** Pages of a PDF or TIFF: `3`, `3-5`, or `3-` for all from there on. */
  readonly pages?: string;
}

const DEFAULT_URL = 'http://localhost:8080';
/** The service's own limit, 30 s unless set otherwise, begins when the body has arrived; this leaves time for that. */
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_RETRIES = 3;
/** Before the first retry where nobody says how long; doubled for each further one. */
const FIRST_WAIT_SECONDS = 0.5;
/** Waits are up to this much longer, so that clients refused together do not come back together. */
const JITTER = 0.25;

/** A client of one service; it keeps no state, so one is enough for a program. */
export class GeneralOcr {
  readonly #baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #fetch: typeof fetch;

  /** @throws {TypeError} if the base URL is no address */
  constructor(options: GeneralOcrOptions = {}) {
    const baseUrl = String(options.baseUrl ?? environment('GENERAL_OCR_URL') ?? DEFAULT_URL);
    if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
      throw new TypeError('The base URL must be an http:// or https:// address, such as http://localhost:8080');
    }
    const apiKey = options.apiKey ?? environment('GENERAL_OCR_API_KEY');
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#headers = apiKey === undefined ? {} : { 'x-api-key': apiKey };
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#retries = options.retries ?? DEFAULT_RETRIES;
    // A bare `fetch` of a browser must be called without `this`.
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
  }

  /**
   * The lines of a jpg, png or bmp, in reading order: `POST /general_ocr`.
   *
   * @throws {ServiceError | NoAnswerError} what the service refuses, or that it does not answer
   */
  async read(picture: Picture, call: CallOptions = {}): Promise<OcrLine[]> {
    return this.#call('/general_ocr', pictureForm(picture, {}), call, json<OcrLine[]>);
  }

  /**
   * Pages with lines, their polygons and paragraphs, and words and characters where asked for: `POST /v1/ocr`. Takes WebP,
   * TIFF, GIF, AVIF and PDF besides.
   *
   * @throws {ServiceError | NoAnswerError}
   */
  async readDocument(picture: Picture, options: DocumentOptions = {}): Promise<OcrDocument> {
    return this.#call(
      '/v1/ocr',
      pictureForm(picture, { ...texts(options), format: 'json' }),
      options,
      json<OcrDocument>,
    );
  }

  /**
   * The same as a file: the bytes of a searchable PDF, or the text of any other format.
   *
   * @throws {ServiceError | NoAnswerError}
   */
  async readAs(picture: Picture, format: 'pdf', options?: DocumentOptions): Promise<Uint8Array>;
  async readAs(picture: Picture, format: Exclude<FileFormat, 'pdf'>, options?: DocumentOptions): Promise<string>;
  async readAs(picture: Picture, format: FileFormat, options: DocumentOptions = {}): Promise<string | Uint8Array> {
    const form = pictureForm(picture, { ...texts(options), format });
    if (format !== 'pdf') return this.#call('/v1/ocr', form, options, (response) => response.text());
    return this.#call('/v1/ocr', form, options, async (response) => new Uint8Array(await response.arrayBuffer()));
  }

  /**
   * Version, models and limits of the service.
   *
   * @throws {ServiceError | NoAnswerError}
   */
  async info(call: CallOptions = {}): Promise<Info> {
    return this.#call('/v1/info', undefined, call, json<Info>);
  }

  async #call<T>(
    path: string,
    form: FormData | undefined,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions,
    take: (response: Response) => Promise<T>,
  ): Promise<T> {
    const end = performance.now() + timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const init = {
      method: form === undefined ? 'GET' : 'POST',
      headers: this.#headers,
      body: form ?? null,
      signal: either,
    };
    for (let retry = 0; ; retry++) {
      let failure: OcrError;
      try {
        const response = await this.#fetch(this.#baseUrl + path, init);
        if (response.ok) return await take(response);
        failure = await serviceError(response);
      } catch (cause) {
        if (cause instanceof OcrError) throw cause;
        signal?.throwIfAborted();
        if (timeout.aborted) throw tookTooLong(timeoutMs, cause);
        failure = new NoAnswerError('connection', `No answer from ${this.#baseUrl}: is the service there?`, cause);
      }
      const waitMs = retry < this.#retries ? waitBefore(retry, failure) : undefined;
      // Better the service's own answer now than a timeout that hides it.
      if (waitMs === undefined || performance.now() + waitMs >= end) throw failure;
      await pause(waitMs, either).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw tookTooLong(timeoutMs, cause);
      });
    }
  }
}

/** Milliseconds; undefined where another try would end in the same way. */
function waitBefore(retry: number, failure: OcrError): number | undefined {
  if (failure instanceof ServiceError && !mayPass(failure)) return undefined;
  const told = failure instanceof ServiceError ? failure.retryAfterSeconds : undefined;
  return (told ?? FIRST_WAIT_SECONDS * 2 ** retry) * 1000 * (1 + JITTER * Math.random());
}

/** A picture that has ended engine processes would end more of them. */
const mayPass = ({ status, code }: ServiceError): boolean =>
  status === 429 || (status === 503 && code !== 'ENGINE_CRASHED');

const tookTooLong = (timeoutMs: number, cause: unknown): NoAnswerError =>
  new NoAnswerError('timeout', `No answer within ${timeoutMs} ms. The option timeoutMs allows more.`, cause);

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Options as form fields. Every option of the service is among them, which the type of the answer sees to. */
function texts(options: DocumentOptions): Record<Exclude<keyof Query, 'format'>, string | undefined> {
  const { minScore, region, orientation, textLayer, words, characters, pages } = options;
  return {
    // Nine decimals are what the service takes; String() would write 1e-7.
    minScore: minScore?.toFixed(9),
    region: region && [region.left, region.top, region.width, region.height].join(','),
    orientation,
    textLayer,
    words: words?.toString(),
    characters: characters?.toString(),
    pages,
  };
}

/** The edge to JSON: what the service sends has the shape of openapi.yaml, from which the types are made. */
async function json<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw notOurs(response);
  }
}

/** Browsers have no environment. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}
