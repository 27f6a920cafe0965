import net from 'node:net';
import { OcrError } from '../errors.ts';

/** A place in S3 as callers write it. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

/** S3's rules for names of general purpose buckets; those that a regular expression cannot say follow it in `parseS3Url`. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Names with these ends are routed elsewhere by the SDK: directory buckets, access points, Outposts, tables. */
const SPECIAL_BUCKET = /(--x-s3|--xa-s3|--op-s3|--ol-s3|--table-s3|-s3alias|\.mrap)$/;

/** Limit of S3 itself, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/**
 * By hand, because `new URL()` resolves dot segments and percent-decodes: with path-style addressing `s3://../other/key` would read
 * another bucket. The key is taken as it stands, like `aws s3 cp` does; what could mean something else on the
 * way (dot segments in any spelling, `?`, `#`, control characters) is refused.
 *
 * @param field that it came in, for messages
 * @throws {OcrError} INVALID_REQUEST
 */
export function parseS3Url(url: string, field: string): S3Address {
  const address = parseS3Prefix(url, field);
  if (address.key === '') throw invalid(`\`${field}\` must have the form s3://bucket/key.`);
  return address;
}

/** The same, where nothing may follow the bucket. */
export function parseS3Prefix(url: string, field: string): S3Address {
  const parts = /^s3:\/\/([^/]*)\/(.*)$/is.exec(url);
  if (parts === null) throw invalid(`\`${field}\` must have the form s3://bucket/key.`);
  const [, bucket, key] = parts;
  if (!BUCKET.test(bucket) || bucket.includes('..') || net.isIP(bucket) !== 0 || SPECIAL_BUCKET.test(bucket)) {
    throw invalid(
      `The bucket in \`${field}\` is not the name of a general purpose S3 bucket: 3 to 63 characters of a-z, 0-9, "." and "-" ` +
        '(no ARN, access point, user name or port).',
    );
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw invalid(`The key in \`${field}\` is longer than ${MAX_KEY_BYTES} bytes.`);
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[?#\u0000-\u001f\u007f]/.test(key) || key.split(/[/\\]|%2f|%5c/i).some(isDotSegment)) {
    throw invalid(`The key in \`${field}\` may not hold "?", "#", control characters or the segments "." and "..".`);
  }
  return { bucket, key };
}

const isDotSegment = (segment: string): boolean => /^(\.|%2e){1,2}$/i.test(segment);

const invalid = (message: string): OcrError => new OcrError('INVALID_REQUEST', message);
