import type { Answer, Line } from './answer.ts';

/** What is to be read. */
export type Picture =
  | { readonly kind: 'file'; readonly file: Blob; readonly name: string }
  | { readonly kind: 'link'; readonly url: string };

/** Why a picture was not read. */
export interface Failure {
  /** The server's code, `NETWORK` when there was no answer, or `CANCELLED`. */
  readonly code: string;
  /** The server's words, in English. */
  readonly message: string;
  readonly requestId: string;
  /** Seconds after which another try makes sense; 0: not said. */
  readonly retryAfter: number;
}

export type Outcome = { readonly answer: Answer } | { readonly failure: Failure };

export interface CallOptions {
  /** Sent as `x-api-key` unless empty. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** Part of the upload that is done, 0..1. */
  readonly onUpload: (part: number) => void;
}

/** Relative: the page may be served under a path of a reverse proxy. */
export const ENDPOINT = 'general_ocr';

const failed = (code: string, message: string, requestId = '', retryAfter = 0): Outcome => ({
  failure: { code, message, requestId, retryAfter },
});

const isLine = (item: object): item is Line => 'words' in item;

function parseAnswer(text: string): Answer {
  const items = JSON.parse(text) as (Line | { duration: number })[];
  const last = items.at(-1);
  return { lines: items.filter(isLine), seconds: last !== undefined && 'duration' in last ? last.duration : 0 };
}

function parseFailure(request: XMLHttpRequest): Outcome {
  const retryAfter = Number(request.getResponseHeader('retry-after') ?? 0);
  try {
    const { code, message, requestId } = JSON.parse(request.responseText) as Failure;
    return failed(code, message, requestId, retryAfter);
  } catch {
    // A proxy in between has its own pages.
    return failed(`HTTP ${request.status}`, request.statusText, '', retryAfter);
  }
}

/** Reads one picture. XMLHttpRequest, because fetch() tells nothing of an upload's progress. Never rejects. */
export function callOcr(picture: Picture, { key, signal, onUpload }: CallOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', ENDPOINT);
    if (key !== '') request.setRequestHeader('x-api-key', key);
    request.upload.addEventListener('progress', ({ loaded, total }) => onUpload(total > 0 ? loaded / total : 1));
    request.upload.addEventListener('load', () => onUpload(1));
    request.addEventListener('load', () => {
      if (request.status !== 200) return resolve(parseFailure(request));
      try {
        resolve({ answer: parseAnswer(request.responseText) });
      } catch {
        resolve(failed('NETWORK', 'The answer is not the one of General OCR.'));
      }
    });
    request.addEventListener('error', () => resolve(failed('NETWORK', 'No answer came back.')));
    request.addEventListener('abort', () => resolve(failed('CANCELLED', 'Cancelled.')));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (picture.kind === 'link') {
      request.setRequestHeader('content-type', 'application/json');
      request.send(JSON.stringify({ url: picture.url, duration: true }));
      return;
    }
    const form = new FormData();
    form.append('duration', 'true');
    form.append('img', picture.file, picture.name);
    request.send(form);
  });
}
