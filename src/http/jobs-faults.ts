import type { FastifySchemaValidationError } from 'fastify';
import { OcrError } from '../errors.ts';
import { PRIORITIES } from '../jobs/job.ts';
import { FIELD_HELP } from './error-handler.ts';
import { MAX_SOURCES, PAGE_OF_RESULTS } from './jobs-schemas.ts';

/** What a field of a request for a job must be. */
const JOB_FIELD_HELP: Readonly<Record<string, string>> = {
  sources: `\`sources\` must be a list of 1 to ${MAX_SOURCES} addresses of pictures (http://, https:// or s3://bucket/key). Put more of them into a \`manifest\`.`,
  prefix: '`prefix` must be a string: s3://bucket/prefix/.',
  manifest: '`manifest` must be a string: s3://bucket/list.jsonl.',
  options: '`options` must be an object with options of /v1/ocr.',
  output: '`output` must be a string: s3://bucket/prefix/.',
  webhook: '`webhook` must be a string: an address that starts with http:// or https://.',
  priority: `\`priority\` must be one of ${PRIORITIES.join(', ')}.`,
  from: '`from` must be a whole number, the index of a picture.',
  limit: `\`limit\` must be a whole number from 1 to ${PAGE_OF_RESULTS.maximum}.`,
  'idempotency-key': '`idempotency-key` must have 1 to 255 characters.',
  id: 'The id of a job has 1 to 64 characters.',
};

const BODY_HELP =
  'The body must be a JSON object such as {"sources": ["https://…"]} or {"prefix": "s3://bucket/prefix/", "output": "s3://bucket/results/"}.';

/** Says what is wrong with a request to `/v1/jobs`, as `schemaErrorFormatter` of its routes. */
export function describeJobFault(faults: FastifySchemaValidationError[]): Error {
  const [field = '', option = ''] = (faults[0]?.instancePath ?? '').split('/').slice(1);
  const help = field === 'options' && option in FIELD_HELP ? FIELD_HELP[option] : JOB_FIELD_HELP[field];
  return new OcrError('INVALID_REQUEST', help ?? BODY_HELP);
}
