import Type, { type Static } from 'typebox';
import { SAMPLE_IMAGE_BASE64 } from '../engine/sample.ts';
import { ERROR_CODES } from '../errors.ts';
import { errorResponses, PAGE_ERRORS } from './error-responses.ts';
import { IMAGE_TYPES } from './upload.ts';

/** Body of `POST /general_ocr`. Unknown fields are ignored, as the AWS kit ignores them. */
export const OcrRequestSchema = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        // URL schemes are case-insensitive (RFC 3986, section 3.1).
        pattern: '^([Hh][Tt][Tt][Pp][Ss]?|[Ss]3)://[^\\s/]',
        description:
          'Address of the image: `http://…`, `https://…` or `s3://bucket/key`. It has priority when `img` is given too.',
        examples: ['https://example.com/id-card.png', 's3://my-bucket/scans/id-card.png'],
      }),
    ),
    img: Type.Optional(
      Type.String({
        // Not empty, and no more: a pattern of base64, like minLength, would walk through up to 70 MB before decoding does.
        pattern: '\\S',
        contentEncoding: 'base64',
        description:
          'Base64 of the image file (RFC 4648, section 4). White space is ignored, and a `data:image/…;base64,` prefix is accepted.',
      }),
    ),
    duration: Type.Optional(
      Type.Boolean({
        description: '`true` appends a last element `{"duration": seconds}` to the answer.',
        default: false,
      }),
    ),
  },
  {
    anyOf: [{ required: ['url'] }, { required: ['img'] }],
    description:
      'The image, as `url` or as `img`: jpg, png or bmp, longest side at most 4096 pixels unless the operator set another limit.',
    'x-examples': {
      img: {
        summary: 'A small picture in the request (try this one)',
        value: { img: SAMPLE_IMAGE_BASE64 },
      },
      duration: {
        summary: 'The same, with the time it took',
        value: { img: SAMPLE_IMAGE_BASE64, duration: true },
      },
      url: {
        summary: 'A picture on a web server',
        value: { url: 'https://example.com/id-card.png' },
      },
      s3: {
        summary: 'A picture in S3 or a compatible store',
        value: { url: 's3://my-bucket/scans/id-card.png' },
      },
    },
  },
);

export type OcrRequest = Static<typeof OcrRequestSchema>;

/**
 * Bytes of a picture file. Without a `type`: that is how OpenAPI 3.1 says "raw bytes", and the parsers of uploads
 * (upload.ts) have them as a Buffer, which is no JSON type.
 */
export const pictureFile = (mediaType: string, description: string) =>
  Type.Unsafe<Buffer>({ contentMediaType: mediaType, description });

/** Form of `POST /general_ocr`, after its text fields have become values. */
const OcrFormSchema = Type.Object(
  {
    img: Type.Optional(pictureFile('application/octet-stream', 'The image file, once.')),
    url: OcrRequestSchema.properties.url,
    duration: OcrRequestSchema.properties.duration,
  },
  {
    anyOf: [{ required: ['url'] }, { required: ['img'] }],
    description: 'The image as a file, for example with `curl -F img=@picture.png`. Other text fields are ignored.',
  },
);

const requestBody = {
  content: {
    'application/json': { schema: OcrRequestSchema },
    'multipart/form-data': { schema: OcrFormSchema },
    ...Object.fromEntries(
      IMAGE_TYPES.map((type) => [
        type,
        { schema: pictureFile(type, 'The image file, for example with `curl --data-binary @picture`.') },
      ]),
    ),
  },
};

/** Limit of `location` numbers in the description: OCR_MAX_SIDE cannot be set higher. */
export const LONGEST_SIDE = 16_384;

const pixels = (minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: LONGEST_SIDE, description: `${description}, in pixels of the upright image.` });

/** One line of text. The order of the keys is part of the contract. */
export const OcrLineSchema = Type.Object(
  {
    words: Type.String({ description: 'The text of the line.' }),
    location: Type.Object(
      {
        top: pixels(0, 'Upper edge'),
        left: pixels(0, 'Left edge'),
        width: pixels(1, 'Width'),
        height: pixels(1, 'Height'),
      },
      {
        additionalProperties: false,
        description: 'Bounding rectangle of the line in the image as a viewer shows it (EXIF orientation applied).',
      },
    ),
    score: Type.Number({ minimum: 0, maximum: 1, description: 'Mean probability of the characters.' }),
  },
  { $id: 'OcrLine', additionalProperties: false, description: 'One line of text.' },
);

export type OcrLine = Static<typeof OcrLineSchema>;

/** The last element of the answer when the request has `"duration": true`. */
export const DurationSchema = Type.Object(
  {
    duration: Type.Number({
      minimum: 0,
      description: 'Seconds that the server worked on the request, after its body had arrived.',
    }),
  },
  { $id: 'Duration', additionalProperties: false, description: 'Only on request, as the last element.' },
);

export type Duration = Static<typeof DurationSchema>;

/** Body of every answer that is not 2xx. */
export const ErrorSchema = Type.Object(
  {
    statusCode: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status, again.' }),
    error: Type.String({ description: 'The reason phrase of the status.' }),
    code: Type.Enum([...ERROR_CODES], { type: 'string', description: 'What happened, for programs.' }),
    message: Type.String({ description: 'What failed, why and how to fix it, for people.' }),
    requestId: Type.String({ description: 'The id under which the server logged the request; also `x-request-id`.' }),
  },
  { $id: 'Error', additionalProperties: false, description: 'Body of every answer that is not 2xx.' },
);

export type ErrorBody = Static<typeof ErrorSchema>;

const jsonContent = (schema: object, examples: object) => ({ 'application/json': { schema, examples } });

/** The sample answer of the contract. */
const SAMPLE_ANSWER = [
  {
    words: '香港永久性居民身份證',
    location: { top: 18, left: 148, width: 169, height: 17 },
    score: 0.9923796653747559,
  },
];

/** `POST /general_ocr` for validation, serialisation and the OpenAPI document. */
export const generalOcrSchema = {
  operationId: 'generalOcr',
  summary: 'Read the text in a picture',
  description:
    'Reads Simplified Chinese, digits, Latin letters and symbols in a jpg, png or bmp picture. The answer has one object for each line of text, in reading order; a picture without text gives `[]`.',
  tags: ['ocr'],
  // The empty alternative: keys are only asked for where the operator has set OCR_API_KEYS.
  security: [{}, { apiKey: [] }, { bearer: [] }],
  body: requestBody,
  response: {
    200: {
      description: 'The lines of text in reading order.',
      content: jsonContent(
        { type: 'array', items: { anyOf: [{ $ref: 'OcrLine#' }, { $ref: 'Duration#' }] } },
        {
          lines: { summary: 'One line', value: SAMPLE_ANSWER },
          duration: { summary: 'With `"duration": true`', value: [...SAMPLE_ANSWER, { duration: 0.412 }] },
          empty: { summary: 'No text', value: [] },
        },
      ),
    },
    ...errorResponses(PAGE_ERRORS),
  },
} as const;

const StatusSchema = (status: string) =>
  Type.Object({ status: Type.Literal(status) }, { additionalProperties: false, description: `Always \`${status}\`.` });

export const liveSchema = {
  operationId: 'live',
  summary: 'Does the server process run?',
  description: 'For a liveness probe: it answers as long as the server process can answer at all.',
  tags: ['health'],
  response: {
    200: {
      description: 'It runs.',
      content: jsonContent(StatusSchema('live'), { live: { value: { status: 'live' } } }),
    },
    ...errorResponses(['METHOD_NOT_ALLOWED']),
  },
} as const;

export const readySchema = {
  operationId: 'ready',
  summary: 'Can the service take requests?',
  description:
    'For a readiness probe: 200 only after every engine process has read a built-in sample right, and not while the service shuts down.',
  tags: ['health'],
  response: {
    200: {
      description: 'It takes requests.',
      content: jsonContent(StatusSchema('ready'), { ready: { value: { status: 'ready' } } }),
    },
    ...errorResponses(['METHOD_NOT_ALLOWED', 'UNAVAILABLE']),
  },
} as const;

export const metricsSchema = {
  operationId: 'metrics',
  summary: 'Figures for Prometheus',
  description:
    'Prometheus text format 0.0.4: counts, never contents. Open to all, also where keys are set, unless the operator asks for a key here as well.',
  tags: ['health'],
  response: {
    200: {
      description: 'The figures.',
      content: { 'text/plain': { schema: { type: 'string' } } },
    },
    ...errorResponses(['UNAUTHORIZED', 'METHOD_NOT_ALLOWED']),
  },
} as const;
