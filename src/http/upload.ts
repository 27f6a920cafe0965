import { Busboy } from '@fastify/busboy';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';
import { imageTooLarge } from '../source/source-errors.ts';
import { receiveBody } from './body-gate.ts';

/** What a form or a raw body asks for: `OcrRequest` with the file as it is instead of base64. Checked by its schema. */
export interface Upload {
  url?: string;
  img?: Buffer;
  /** `true`, `false`, or a text that the schema is going to refuse. */
  duration?: boolean | string;
}

/** A form with further text fields, as texts: `parseForm` keeps those that it is told of. */
export type UploadWithFields<Name extends string> = Upload & { [name in Name]?: string };

/** Media types of raw bodies. What the file really is, its first bytes say. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/bmp'] as const;

/** Parts that a form may have. The API needs three; browsers and clients send some of their own along. */
const MAX_PARTS = 20;

/** Bytes of a text field; `url` may have 8,192 characters (source/load-image.ts), which says so more exactly. */
const MAX_FIELD_BYTES = 65_536;

/** Bytes and lines of the headers of one part; browsers send three lines with a file name. */
const MAX_PART_HEADER_BYTES = 16_384;
const MAX_PART_HEADERS = 32;

/** Bytes given to the parser at once: a form with too many parts is noticed before the rest of it is looked at. */
const STEP_BYTES = 65_536;

const FORM_HELP = 'Send one file as `img`, for example: curl -F img=@picture.png';

const refused = (message: string, detail?: string): OcrError =>
  new OcrError('INVALID_REQUEST', message, detail === undefined ? {} : { detail });

/** Text of a form as the value that JSON would have. An empty field of a form is one that was not filled in. */
function addField<Name extends string>(
  upload: UploadWithFields<Name>,
  name: string | undefined,
  text: string,
  others: readonly Name[],
): void {
  if (text === '') return;
  const other = others.find((one) => one === name);
  if (other !== undefined) Object.assign(upload, { [other]: text });
  if (name === 'url') upload.url = text;
  if (name === 'duration') upload.duration = { true: true, false: false }[text.toLowerCase()] ?? text;
  if (name === 'img') throw refused(`\`img\` is a text in this form; base64 goes into JSON. ${FORM_HELP}.`);
}

/**
 * Reads a form (RFC 7578). Unknown text fields are ignored, as unknown JSON fields are.
 *
 * @param others further text fields to keep, as texts
 * @param body the whole body. @fastify/multipart would read the socket itself, past the byte budget (body-gate.ts).
 * @throws {OcrError} INVALID_REQUEST for anything but one file called `img`, and for a form that is damaged
 */
export async function parseForm<Name extends string = never>(
  body: Buffer,
  contentType: string,
  others: readonly Name[] = [],
): Promise<UploadWithFields<Name>> {
  const upload: UploadWithFields<Name> = {};
  const names: readonly string[] = ['url', 'img', 'duration', ...others];
  const seen = new Set<string>();
  let files = 0;
  const { promise, resolve, reject } = Promise.withResolvers<UploadWithFields<Name>>();
  const damaged = (error: unknown): void =>
    reject(
      refused(
        `The form is damaged or was cut off. ${FORM_HELP}`,
        error instanceof Error ? error.message : String(error),
      ),
    );
  let failed = false;
  promise.catch(() => {
    failed = true;
  });

  const once = (name: string | undefined): void => {
    if (name === undefined || !names.includes(name)) return;
    if (seen.has(name)) throw refused(`The form has several fields \`${name}\`. ${FORM_HELP}.`);
    seen.add(name);
  };
  const orReject = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      reject(error);
    }
  };

  let parser: InstanceType<typeof Busboy>;
  try {
    parser = new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        parts: MAX_PARTS,
        fieldSize: MAX_FIELD_BYTES,
        headerSize: MAX_PART_HEADER_BYTES,
        headerPairs: MAX_PART_HEADERS,
      },
      // Python's and Java's clients name a type but no file for what they have in memory only.
      isPartAFile: (_name, type, fileName) =>
        fileName !== undefined || type === 'application/octet-stream' || type?.startsWith('image/') === true,
    });
  } catch {
    throw refused(
      `The header content-type: multipart/form-data names no boundary; leave it to your HTTP client. ${FORM_HELP}`,
    );
  }
  parser.on('field', (name: string | undefined, text, _nameCut, textCut) =>
    orReject(() => {
      if (textCut) throw refused(`A text field of the form has more than ${MAX_FIELD_BYTES} bytes. ${FORM_HELP}.`);
      once(name);
      addField(upload, name, text, others);
    }),
  );
  parser.on('file', (name: string | undefined, stream, fileName: string | undefined) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', damaged);
    stream.on('end', () =>
      orReject(() => {
        const bytes = Buffer.concat(chunks);
        // What browsers send for a file field in which no file was chosen.
        if (bytes.length === 0 && !fileName) return;
        files += 1;
        if (files > 1)
          throw refused(`The form has several files, and one picture is read for each request. ${FORM_HELP}.`);
        if (name !== 'img')
          throw refused(`The file of the form must be called \`img\`, not by another name. ${FORM_HELP}.`);
        if (bytes.length === 0) throw refused('The file `img` is empty.');
        once(name);
        upload.img = bytes;
      }),
    );
  });
  parser.on('partsLimit', () => reject(refused(`The form has more than ${MAX_PARTS} parts. ${FORM_HELP}.`)));
  parser.on('error', damaged);
  parser.on('finish', () => resolve(upload));

  for (let at = 0; at < body.length && !failed; at += STEP_BYTES) {
    if (!parser.write(body.subarray(at, at + STEP_BYTES))) {
      await Promise.race([new Promise((drained) => parser.once('drain', drained)), promise]);
    }
  }
  parser.end();
  return promise;
}

/** @throws {OcrError} BODY_TOO_LARGE for a file over the limit, which a body under its own limit can hold */
function checkFile<T extends Upload>(upload: T, maxImageBytes: number): T {
  const bytes = upload.img?.length ?? 0;
  if (bytes > maxImageBytes) throw imageTooLarge(bytes, 'exactly', maxImageBytes);
  return upload;
}

/** Takes forms as bodies, with the text fields `others` besides those of `Upload`. */
export function acceptForms(app: FastifyInstance, maxImageBytes: number, others: readonly string[]): void {
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest) => {
    const form = await parseForm(await receiveBody(request), request.headers['content-type'] ?? '', others);
    return checkFile(form, maxImageBytes);
  });
}

/** Takes picture files of the given media types as bodies. */
export function acceptFiles(app: FastifyInstance, maxImageBytes: number, types: readonly string[]): void {
  app.addContentTypeParser([...types], async (request: FastifyRequest) => {
    const body = await receiveBody(request);
    if (body.length === 0) throw refused('The body is empty: send the bytes of the picture file.');
    return checkFile<Upload>({ img: body }, maxImageBytes);
  });
}

/**
 * Takes forms and picture files as bodies; the route's schema decides which paths do. Limits are those of JSON bodies:
 * the route's body limit, the byte budget, and for the file itself `maxImageBytes`.
 */
export function acceptUploads(app: FastifyInstance, maxImageBytes: number): void {
  acceptForms(app, maxImageBytes, []);
  acceptFiles(app, maxImageBytes, IMAGE_TYPES);
}
