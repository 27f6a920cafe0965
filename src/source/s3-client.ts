import type * as S3 from '@aws-sdk/client-s3';
import { OcrError } from '../errors.ts';
import { describeError } from './source-errors.ts';

export interface S3Options {
  /** Buckets that may be read; empty: every bucket that the credentials can read. */
  readonly buckets: readonly string[];
  /** S3-compatible endpoint; empty: AWS. */
  readonly endpoint: string;
  readonly forcePathStyle: boolean;
  /** Empty: the SDK decides (AWS_REGION, profile); with an endpoint us-east-1, which such servers take for "any". */
  readonly region: string;
}

/** The SDK with a client; loaded once, when it is first needed (about 0.2 s of start-up otherwise). */
export interface S3Sdk {
  readonly sdk: typeof S3;
  readonly client: S3.S3Client;
}

/** @throws {Error} for an endpoint that is no http(s) address; meant for the operator at start */
export function checkEndpoint({ endpoint }: S3Options): void {
  if (endpoint !== '' && !/^https?:\/\/[^/]/i.test(endpoint)) {
    throw new Error('OCR_S3_ENDPOINT must be an address such as http://minio:9000 or https://s3.example.com');
  }
}

export async function loadSdk({ endpoint, forcePathStyle, region }: S3Options): Promise<S3Sdk> {
  const sdk = await import('@aws-sdk/client-s3');
  const config: S3.S3ClientConfig = { forcePathStyle };
  if (endpoint !== '') config.endpoint = endpoint;
  if (region !== '' || endpoint !== '') config.region = region || 'us-east-1';
  return { sdk, client: new sdk.S3Client(config) };
}

export function bucketNotAllowed(bucket: string, field: string): OcrError {
  return new OcrError(
    'SOURCE_NOT_ALLOWED',
    `The bucket in \`${field}\` is not one that this service reads; the operator lists those in OCR_S3_BUCKETS.`,
    { detail: `bucket ${bucket}` },
  );
}

/** What was asked of S3, for the text of a failure. */
export interface S3Request {
  readonly bucket: string;
  /** "The object at `url` could not be read", for example. */
  readonly failed: string;
  /** As IAM names it. */
  readonly permission: string;
}

/** One text for a missing bucket, a missing key and a refusal: which of them it was would list the bucket to strangers. */
export function s3Unavailable({ bucket, failed, permission }: S3Request, error: unknown): OcrError {
  const reason = publicReason(error, permission);
  return new OcrError('SOURCE_UNAVAILABLE', `${failed}: ${reason}`, {
    detail: `bucket ${bucket}: ${describeError(error)}`,
  });
}

const NO_CREDENTIALS =
  'this service has no S3 credentials. The operator sets AWS_ACCESS_KEY_ID and ' +
  'AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or gives the container a role.';
const NO_REGION = 'this service has no S3 region. The operator sets OCR_S3_REGION or AWS_REGION.';

function publicReason(error: unknown, permission: string): string {
  if (error instanceof Error && error.name === 'CredentialsProviderError') return NO_CREDENTIALS;
  // The SDK throws a plain Error here: @smithy/config-resolver, "Region is missing".
  if (error instanceof Error && error.message === 'Region is missing') return NO_REGION;
  return (
    'the bucket or key does not exist, access is denied, or the S3 service cannot be reached. ' +
    `Check the address; the operator checks the permission ${permission}, OCR_S3_ENDPOINT and OCR_S3_REGION.`
  );
}
