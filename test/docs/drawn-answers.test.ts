import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import t from 'tap';
import { answerIn, answerOf, drawAnswer } from '../../scripts/draw-answer.ts';
import { differs } from './markdown.ts';

const DRAWN: readonly (readonly [picture: string, drawn: string])[] = [
  ['docs/images/sample.png', 'docs/images/sample-answer.png'],
  ['src/web/samples/sign.png', 'docs/images/sign-answer.png'],
  ['src/web/samples/receipt.png', 'docs/images/receipt-answer.png'],
];
/** Of 255; the tint of a box on white is 29 in green. */
const MIN_DIFFERENCE = 20;
/** Borders that moved by a pixel, and numbers in another font, stay below. */
const MAX_SHARE = 0.004;

const file = (name: string): Promise<Buffer> => readFile(new URL(`../../${name}`, import.meta.url));

/** The share of pixels in which two pictures of the same size differ visibly. */
async function shareThatDiffers(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((png) => sharp(png).removeAlpha().raw().toBuffer()));
  if (a === undefined || b === undefined || a.length !== b.length) return 1;
  let different = 0;
  for (let i = 0; i < a.length; i += 3) {
    const most = Math.max(...[0, 1, 2].map((c) => Math.abs((a[i + c] ?? 0) - (b[i + c] ?? 0))));
    if (most >= MIN_DIFFERENCE) different++;
  }
  return different / (a.length / 3);
}

t.test('pictures with drawn answers show what is read (node scripts/draw-answer.ts draws them)', async (t) => {
  for (const [picture, drawn] of DRAWN) {
    const { drawing, page } = await drawAnswer(await file(picture));
    const shown = await answerIn(await file(drawn));
    t.equal(differs(JSON.stringify(JSON.parse(shown ?? 'null')), answerOf(page)), undefined, `${drawn}: its answer`);
    const share = await shareThatDiffers(drawing, await file(drawn));
    t.ok(share <= MAX_SHARE, `${drawn}: ${page.lines.length} lines, ${(share * 100).toFixed(2)} % of it differs`);
  }
});

t.test('a picture without its boxes is told', async (t) => {
  for (const [picture, drawn] of DRAWN) {
    const share = await shareThatDiffers(await file(picture), await file(drawn));
    t.ok(share > 10 * MAX_SHARE, `${picture}: ${(share * 100).toFixed(2)} %`);
    t.equal(await answerIn(await file(picture)), undefined);
  }
});
