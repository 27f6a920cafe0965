import type { JobOutput, JobSource } from './job.ts';

/** Digits of numbers in keys, so that they sort: a hundred million pictures. */
const INDEX_DIGITS = 8;
const PART_DIGITS = 6;

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/**
 * Where the result of a picture goes: for a picture below an `s3://` prefix its own name with an ending behind it, for any
 * other its number. The same picture of the same job always goes to the same place.
 *
 * @param extension with its dot
 */
export function outputKey(
  { prefix }: JobOutput,
  from: JobSource,
  picture: { readonly source: string; readonly index: number },
  extension: string,
): string {
  if (from.kind !== 'prefix') return `${prefix}${padded(picture.index, INDEX_DIGITS)}${extension}`;
  return `${prefix}${picture.source.slice(`s3://${from.bucket}/${from.prefix}`.length).replace(/^\//, '')}${extension}`;
}

/** The index of a job: one JSON line for each picture, in parts of `PART_SIZE`. */
export const indexKey = ({ prefix }: JobOutput, id: string, part: number): string =>
  `${prefix}_jobs/${id}/index-${padded(part, PART_DIGITS)}.jsonl`;

/** What became of a job, written when it has ended. */
export const summaryKey = ({ prefix }: JobOutput, id: string): string => `${prefix}_jobs/${id}/job.json`;
