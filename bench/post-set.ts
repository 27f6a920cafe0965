import type { LabelledImage, Predictions } from './labelled-set.ts';

/** Deadlines that only a hanging service misses, so that a busy machine makes figures worse instead of ending the run. */
export const PATIENT = { OCR_PAGE_TIMEOUT_MS: '120000', OCR_REQUEST_TIMEOUT_MS: '240000' } as const;

/** Answers of the service for a set, with the time that each one and all of them took. */
export interface PostedSet {
  readonly predictions: Predictions;
  readonly seconds: number;
  readonly milliseconds: Readonly<Record<string, number>>;
}

/**
 * Posts every picture once, `concurrency` at a time.
 *
 * @throws {Error} an answer other than 200: what fails is not timed
 */
export async function postSet(url: string, set: readonly LabelledImage[], concurrency: number): Promise<PostedSet> {
  // Encoding is the client's work and stays outside of the clock.
  const bodies = set.map(({ bytes }) => JSON.stringify({ img: Buffer.from(bytes).toString('base64') }));
  const predictions: Record<string, { words: string }[]> = {};
  const milliseconds: Record<string, number> = {};
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < set.length; i = next++) {
      const { file } = set[i];
      const start = performance.now();
      const answer = await fetch(`${url}/general_ocr`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodies[i] ?? '',
      });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${file}: ${answer.status} ${text}`);
      milliseconds[file] = performance.now() - start;
      predictions[file] = JSON.parse(text) as { words: string }[];
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return { predictions, milliseconds, seconds: (performance.now() - start) / 1000 };
}
