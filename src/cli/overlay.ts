import sharp from 'sharp';
import type { DocumentLine, DocumentPage } from '../formats/document.ts';

// The engine processes have the CPUs; one picture at a time and no cache, as in src/ocr/decode-image.ts.
sharp.cache(false);
sharp.concurrency(1);

/** Steps and colours of the page at `/` (src/web), so that both show a line alike: from this confidence on. */
const COLOURS: readonly (readonly [fromConfidence: number, colour: string])[] = [
  [0.95, '#08745a'],
  [0.8, '#9a5200'],
  [0, '#b81d4a'],
];

/** Seven segments of a digit on a grid of 2 x 4 units, and a one (i), as SVG path pieces. Fonts are not to be had in a slim container. */
const SEGMENTS = {
  a: 'M0 0H2',
  b: 'M2 0V2',
  c: 'M2 2V4',
  d: 'M0 4H2',
  e: 'M0 2V4',
  f: 'M0 0V2',
  g: 'M0 2H2',
  i: 'M1 0V4',
} as const;
const DIGITS: readonly string[] = 'abcdef i abged abgcd fgbc afgcd afgedc abc abcdefg abcdfg'.split(' ');

/** Units from one digit to the next, and around a number. */
const DIGIT_PITCH = 3.2;
const LABEL_MARGIN = 1;

/** Strokes and numbers of a picture this long on its long side are drawn at one pixel a unit; larger pictures get larger. */
const UNIT_SIDE = 1200;

/** Good enough for thin coloured lines on a photograph; without chroma subsampling, which would smear them. */
const JPEG = { quality: 90, chromaSubsampling: '4:4:4' } as const;

/**
 * Draws what was read onto the picture: a polygon around every line, coloured by its confidence, numbered in reading
 * order.
 *
 * @param page read with its picture
 * @returns a jpg of the upright picture in its own size
 */
export async function drawOverlay({ width, height, lines, picture }: DocumentPage): Promise<Buffer> {
  if (picture === undefined) throw new Error('the page was read without its picture');
  const unit = Math.max(1, Math.max(width, height) / UNIT_SIDE);
  const shapes = lines.map((line, index) => polygon(line, unit) + label(line, index + 1, unit));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
  // decode-image.ts allows JPEG and PNG only wherever it is loaded; the drawing is SVG and our own.
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] });
  // An engine process has decoded it within the limits of size, and has put up with what is damaged in it.
  return sharp(picture.jpeg, { failOn: 'none', limitInputPixels: false })
    .composite([{ input: Buffer.from(svg) }])
    .jpeg(JPEG)
    .toBuffer();
}

function colourOf({ confidence }: Pick<DocumentLine, 'confidence'>): string {
  return COLOURS.find(([from]) => confidence >= from)?.[1] ?? '#b81d4a';
}

function polygon(line: Pick<DocumentLine, 'quad' | 'confidence'>, unit: number): string {
  const points = line.quad.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const colour = colourOf(line);
  return `<polygon points="${points}" fill="${colour}" fill-opacity="0.12" stroke="${colour}" stroke-width="${(1.5 * unit).toFixed(1)}"/>`;
}

/** The number in white on the line's colour, with its lower right corner at the line's first corner, inside the picture. */
function label(line: Pick<DocumentLine, 'quad' | 'confidence'>, number: number, unit: number): string {
  const digits = [...String(number)];
  const width = (digits.length * DIGIT_PITCH - (DIGIT_PITCH - 2) + 2 * LABEL_MARGIN) * 2 * unit;
  const height = (4 + 2 * LABEL_MARGIN) * 2 * unit;
  const [{ x, y }] = line.quad;
  const left = Math.max(0, x - width);
  const top = Math.max(0, y - height / 2);
  const strokes = digits.map((digit, place) => {
    const path = [...(DIGITS[Number(digit)] ?? '')].map((name) => SEGMENTS[name as keyof typeof SEGMENTS]).join('');
    return `<path transform="translate(${LABEL_MARGIN + place * DIGIT_PITCH} ${LABEL_MARGIN})" d="${path}"/>`;
  });
  return (
    `<g transform="translate(${left.toFixed(1)} ${top.toFixed(1)})">` +
    `<rect width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${colourOf(line)}"/>` +
    `<g transform="scale(${(2 * unit).toFixed(2)})" fill="none" stroke="#fff" stroke-width="0.7" stroke-linecap="square">${strokes.join('')}</g></g>`
  );
}
