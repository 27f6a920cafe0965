import Type, { type Static } from 'typebox';
import { errorResponses } from './error-responses.ts';

const closed = { additionalProperties: false } as const;
const count = (description: string) => Type.Integer({ minimum: 0, description });

export const InfoSchema = Type.Object(
  {
    version: Type.String({ description: 'Version of the service (semantic versioning).' }),
    node: Type.String({ description: 'Version of Node.js that it runs on.' }),
    modelPack: Type.Object(
      {
        name: Type.String({ description: 'OCR_MODEL_PACK.' }),
        licence: Type.String({ description: 'SPDX identifier.' }),
        files: Type.Array(
          Type.Object(
            {
              file: Type.String(),
              sha256: Type.String({ description: 'Hash that the file was checked against; empty if none is known.' }),
            },
            closed,
          ),
        ),
      },
      { ...closed, description: 'The models that read. Equal hashes read equal pictures equally.' },
    ),
    imageTypes: Type.Array(Type.String(), { description: 'Media types of picture files that are read.' }),
    limits: Type.Object(
      {
        maxImageBytes: count('Largest picture file (OCR_MAX_IMAGE_BYTES).'),
        maxBodyBytes: count('Largest request body: such a picture in base64, and a little more.'),
        maxSide: count('Longest side of a picture in pixels (OCR_MAX_SIDE).'),
        minScore: Type.Number({ description: 'Lines with a lower score are left out (OCR_MIN_SCORE).' }),
        requestTimeoutMs: count('Total time of a request after its body has arrived (OCR_REQUEST_TIMEOUT_MS).'),
        pageTimeoutMs: count('Time that one page may take to be read (OCR_PAGE_TIMEOUT_MS).'),
        fetchTimeoutMs: count('Time for fetching the picture of `url` (OCR_FETCH_TIMEOUT_MS).'),
        bodyTimeoutMs: count('Time to send a whole request (OCR_BODY_TIMEOUT_MS).'),
        pagesAtATime: count('Pages that are read at the same time (OCR_ENGINE_PROCESSES).'),
        pagesWaiting: count('Requests that may wait for that; one more is answered 429 (OCR_QUEUE_LENGTH).'),
        requestsPerMinute: count('For each key or client address; 0: unlimited (OCR_RATE_LIMIT_PER_MINUTE).'),
      },
      closed,
    ),
  },
  { ...closed, $id: 'Info', description: 'What runs here and what it takes.' },
);

export type Info = Static<typeof InfoSchema>;

/** `GET /v1/info` for serialisation and the OpenAPI document. */
export const infoSchema = {
  operationId: 'info',
  summary: 'Versions, models and limits',
  description:
    'What runs here and what it takes: version, hashes of the models, limits. It holds no keys, addresses or paths; where keys are set it asks for one.',
  tags: ['health'],
  security: [{}, { apiKey: [] }, { bearer: [] }],
  response: {
    200: {
      description: 'Versions, models and limits.',
      content: { 'application/json': { schema: { $ref: 'Info#' } } },
    },
    ...errorResponses(['UNAUTHORIZED', 'METHOD_NOT_ALLOWED']),
  },
} as const;
