import Type, { type Static } from 'typebox';
import { SAMPLE_IMAGE_BASE64 } from '../engine/sample.ts';
import { FORMAT_TRAITS, FORMATS } from '../formats/render-document.ts';
import { errorResponses, PAGE_ERRORS } from './error-responses.ts';
import { LONGEST_SIDE, OcrRequestSchema, pictureFile } from './schemas.ts';
import { IMAGE_TYPES } from './upload.ts';

const FORMAT_HELP = `What the answer is: ${FORMATS.join(', ')}. Without it \`Accept\` decides, and without that it is json.`;
const MIN_SCORE_HELP =
  'Lines with a lower confidence are left out, 0 to 1; OCR_MIN_SCORE of the server if not given. What reads like noise (mostly under 0.5) is never there.';
const REGION_HELP =
  'Reads this rectangle only, as if there were nothing around it, in pixels of the upright image. What reaches over its edges is cut off.';
const ORIENTATION_HELP =
  '`auto` (if not given) finds out how the text is turned; `off` takes the picture as upright, which is faster where that is known.';
const TEXT_LAYER_HELP =
  '`auto` (if not given) takes the text that a PDF page carries, exactly as it was typeset, where the drawn page agrees with it; `off` reads every page as a picture.';
const WORDS_HELP = 'Words with their boxes in the JSON answer. tsv, hocr, alto and pdf always have them.';
const CHARACTERS_HELP = 'Characters with their places, in json, hocr and alto.';

const PAGES_HELP =
  'Pages of a PDF or TIFF: `3`, `3-5`, or `3-` for all from there on; without it all, up to OCR_MAX_PAGES of the server (more are refused).';

/** Media types of raw bodies beyond those of the contract; only taken while OCR_MORE_FORMATS is on. */
export const MORE_TYPES = [
  'image/webp',
  'image/tiff',
  'image/gif',
  'image/avif',
  'image/heic',
  'image/heif',
  'application/pdf',
] as const;

const regionSide = (minimum: number) => Type.Integer({ minimum, maximum: LONGEST_SIDE });

/** Options of a JSON body. No `default`: Ajv would write it into the body, where it would win over the query. */
export const V1_OPTIONS = {
  format: Type.Optional(Type.Enum([...FORMATS], { type: 'string', description: FORMAT_HELP })),
  minScore: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: MIN_SCORE_HELP })),
  region: Type.Optional(
    Type.Object(
      { left: regionSide(0), top: regionSide(0), width: regionSide(1), height: regionSide(1) },
      { additionalProperties: false, description: REGION_HELP },
    ),
  ),
  orientation: Type.Optional(Type.Enum(['auto', 'off'], { type: 'string', description: ORIENTATION_HELP })),
  textLayer: Type.Optional(Type.Enum(['auto', 'off'], { type: 'string', description: TEXT_LAYER_HELP })),
  words: Type.Optional(Type.Boolean({ description: WORDS_HELP })),
  characters: Type.Optional(Type.Boolean({ description: CHARACTERS_HELP })),
  pages: Type.Optional(
    Type.String({ pattern: '^[1-9][0-9]{0,4}(-([1-9][0-9]{0,4})?)?$', description: PAGES_HELP, examples: ['1-3'] }),
  ),
};

const flag = (description: string) => Type.Optional(Type.Enum(['true', 'false'], { type: 'string', description }));

/** The same options as texts, for the query and for forms. Fields of the body win. */
const textOptions = {
  format: V1_OPTIONS.format,
  minScore: Type.Optional(
    Type.String({ pattern: '^(0(\\.[0-9]{1,9})?|1(\\.0{1,9})?)$', description: MIN_SCORE_HELP, examples: ['0.5'] }),
  ),
  region: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,5},[0-9]{1,5},[1-9][0-9]{0,4},[1-9][0-9]{0,4}$',
      description: `${REGION_HELP} As \`left,top,width,height\`.`,
      examples: ['0,120,400,60'],
    }),
  ),
  orientation: V1_OPTIONS.orientation,
  textLayer: V1_OPTIONS.textLayer,
  words: flag(WORDS_HELP),
  characters: flag(CHARACTERS_HELP),
  pages: V1_OPTIONS.pages,
};

export const V1_OPTION_NAMES = [
  'format',
  'minScore',
  'region',
  'orientation',
  'textLayer',
  'words',
  'characters',
  'pages',
] as const;

const V1QuerySchema = Type.Object(textOptions);

const source = { url: OcrRequestSchema.properties.url, img: OcrRequestSchema.properties.img };
const needsSource = [{ required: ['url'] }, { required: ['img'] }];

const V1RequestSchema = Type.Object(
  { ...source, ...V1_OPTIONS },
  {
    anyOf: needsSource,
    description: 'The image, as `url` or as `img`, and what to read how. Unknown fields are ignored.',
    'x-examples': {
      img: { summary: 'A small picture in the request (try this one)', value: { img: SAMPLE_IMAGE_BASE64 } },
      words: {
        summary: 'A part of it, with words',
        value: { img: SAMPLE_IMAGE_BASE64, region: { left: 0, top: 0, width: 360, height: 48 }, words: true },
      },
      text: { summary: 'Its text alone', value: { img: SAMPLE_IMAGE_BASE64, format: 'text' } },
    },
  },
);

const V1FormSchema = Type.Object(
  {
    img: Type.Optional(pictureFile('application/octet-stream', 'The image file, once.')),
    url: source.url,
    ...textOptions,
  },
  {
    anyOf: needsSource,
    description: 'The image as a file, for example with `curl -F img=@picture.png -F format=text`.',
  },
);

export type V1Query = Static<typeof V1QuerySchema>;
/** A JSON body, a form, or a raw file: what the schema of its media type has let through. */
export type V1Body = Static<typeof V1RequestSchema> | Static<typeof V1FormSchema>;

const confidence = Type.Number({ minimum: 0, maximum: 1, description: 'Mean probability of the characters.' });
const polygon = Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), {
  minItems: 4,
  maxItems: 4,
  description: 'Corners `[x, y]` in pixels of the upright image, clockwise from where the text begins at its top.',
});
const pixel = (minimum: number) => Type.Integer({ minimum, maximum: LONGEST_SIDE });
const box = Type.Object(
  { left: pixel(0), top: pixel(0), width: pixel(1), height: pixel(1) },
  { additionalProperties: false, description: 'Bounding rectangle of the polygon in whole pixels, inside the image.' },
);
const count = (description: string) => Type.Integer({ minimum: 1, description });
const milliseconds = Type.Number({ minimum: 0, description: 'Milliseconds.' });

export const V1WordSchema = Type.Object(
  { text: Type.String(), confidence, polygon, box },
  { $id: 'V1Word', additionalProperties: false, description: 'A word of a line.' },
);

export const V1CharacterSchema = Type.Object(
  { text: Type.String(), confidence, polygon },
  { $id: 'V1Character', additionalProperties: false, description: 'A character of a line; spaces are left out.' },
);

export const V1LineSchema = Type.Object(
  {
    text: Type.String({ description: 'The text of the line.' }),
    confidence,
    polygon,
    box,
    orientation: Type.Enum([0, 90, 180, 270], {
      type: 'integer',
      description: 'Degrees clockwise that the text is turned by, to the next quarter.',
    }),
    row: count('Lines side by side share a row.'),
    paragraph: count('Of the page, in reading order.'),
    block: count('Column, or part of the page with space around it, in reading order.'),
    words: Type.Optional(Type.Array(Type.Unsafe<object>({ $ref: 'V1Word#' }))),
    characters: Type.Optional(Type.Array(Type.Unsafe<object>({ $ref: 'V1Character#' }))),
  },
  { $id: 'V1Line', additionalProperties: false, description: 'A line of text.' },
);

export const V1PageSchema = Type.Object(
  {
    page: count('Number of the page in its file.'),
    width: pixel(1),
    height: pixel(1),
    angle: Type.Number({
      minimum: -180,
      maximum: 180,
      description:
        'Direction of the lines in degrees clockwise from upright: a skew of some degrees, or a page that lies on its side.',
    }),
    text: Type.String({
      description: 'A line for each row, its parts divided by tabs, an empty line between paragraphs.',
    }),
    lines: Type.Array(Type.Unsafe<object>({ $ref: 'V1Line#' }), { description: 'In reading order.' }),
    textFrom: Type.Enum(['picture', 'layer'], {
      type: 'string',
      description:
        'Where the text comes from: read in the picture, or the text layer of a PDF, which the drawn page agrees with; its confidences are 1.',
    }),
    timings: Type.Object(
      { decodeMs: milliseconds, detectMs: milliseconds, recognizeMs: milliseconds, totalMs: milliseconds },
      { additionalProperties: false, description: 'What the engine spent on this page.' },
    ),
  },
  { $id: 'V1Page', additionalProperties: false, description: 'A page.' },
);

export const V1DocumentSchema = Type.Object(
  {
    text: Type.String({ description: 'The text of all pages, divided by form feeds.' }),
    pageCount: count('Pages of the file, read or not.'),
    pages: Type.Array(Type.Unsafe<object>({ $ref: 'V1Page#' }), { minItems: 1 }),
    model: Type.Optional(
      Type.Object(
        { name: Type.String(), version: Type.String() },
        {
          additionalProperties: false,
          description: 'The model pack that read it; the version changes with any of its files.',
        },
      ),
    ),
    timings: Type.Object(
      { fetchMs: milliseconds, waitMs: milliseconds, totalMs: milliseconds },
      {
        additionalProperties: false,
        description: 'The request after its body had arrived: fetching `url`, waiting for an engine process, and all.',
      },
    ),
  },
  { $id: 'V1Document', additionalProperties: false, description: 'What was read.' },
);

const requestBody = {
  content: {
    'application/json': { schema: V1RequestSchema },
    'multipart/form-data': { schema: V1FormSchema },
    ...Object.fromEntries(
      [...IMAGE_TYPES, ...MORE_TYPES].map((type) => [
        type,
        { schema: pictureFile(type, 'The image file, for example with `curl --data-binary @picture`.') },
      ]),
    ),
  },
};

const files = Object.fromEntries(
  FORMATS.filter((format) => format !== 'json').map((format) => {
    const { mediaType } = FORMAT_TRAITS[format];
    return [mediaType, { schema: { type: 'string', ...(format === 'pdf' ? { format: 'binary' } : {}) } }];
  }),
);

/** `POST /v1/ocr` for validation, serialisation and the OpenAPI document. */
export const v1OcrSchema = {
  operationId: 'ocr',
  summary: 'Read a picture with all that is known of it',
  description:
    'Takes what `/general_ocr` takes, WebP, TIFF, GIF, AVIF and PDF besides, and options; answers pages with lines, words and characters, or a file: text, Markdown, TSV, hOCR, ALTO or a searchable PDF.',
  tags: ['ocr'],
  security: [{}, { apiKey: [] }, { bearer: [] }],
  querystring: V1QuerySchema,
  body: requestBody,
  response: {
    200: {
      description: 'What was read, in the format that was asked for.',
      content: { 'application/json': { schema: { $ref: 'V1Document#' } }, ...files },
    },
    ...errorResponses(PAGE_ERRORS),
  },
} as const;
