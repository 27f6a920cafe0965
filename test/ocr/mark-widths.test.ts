import t from 'tap';
import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import { settleMarkWidths } from '../../src/ocr/mark-widths.ts';

const CHARSET = ['', ...'：，；！？（）:,;!?()'];
/** Pixels from one ideograph to the next. */
const PITCH = 40;
const HEIGHT = 48;

interface Piece {
  readonly character: string;
  /** Pixels to the next one. */
  readonly advance: number;
  readonly probability?: number;
  /** Pixels from its left edge. */
  readonly ink?: readonly [from: number, to: number];
}

const han = (character: string): Piece => ({ character, advance: PITCH, ink: [2, 38] });
const full = (character: string, probability = 0.6): Piece => ({
  character,
  advance: PITCH,
  ink: [6, 12],
  probability,
});
const half = (character: string, probability = 0.6): Piece => ({ character, advance: 18, ink: [6, 12], probability });
const space = (): Piece => ({ character: ' ', advance: 16 });

/** Draws the pieces as bars and gives what is settled of them. */
function settled(pieces: readonly Piece[]): string {
  const width = pieces.reduce((sum, { advance }) => sum + advance, 0);
  const data = new Uint8Array(3 * width * HEIGHT).fill(255);
  let left = 0;
  const characters: DecodedCharacter[] = pieces.map(({ character, advance, probability = 0.99, ink }) => {
    const [from, to] = (ink ?? [0, 0]).map((x) => left + x);
    for (let y = 10; y < 38; y++) data.fill(0, 3 * (y * width + from), 3 * (y * width + to));
    const middle = ink === undefined ? left + advance / 2 : (from + to) / 2;
    left += advance;
    return { character, probability, step: Math.round(middle / 8) };
  });
  const steps = Math.ceil(width / 8) + 1;
  const output = { data: new Float32Array(steps * CHARSET.length), dims: [1, steps, CHARSET.length] };
  return settleMarkWidths(characters, output, CHARSET, { data, width, height: HEIGHT })
    .map(({ character }) => character)
    .join('');
}

const before = [...'天地玄黄'].map(han);
const after = [...'宇宙'].map(han);

t.test('a doubtful mark takes the form that its room is for', async (t) => {
  t.equal(settled([...before, full(','), ...after]), '天地玄黄，宇宙');
  t.equal(settled([...before, half('：'), ...after]), '天地玄黄:宇宙');
  t.equal(settled([...before, full('；'), ...after]), '天地玄黄；宇宙', 'which it may have already');
  t.equal(settled([...before, half('!'), ...after]), '天地玄黄!宇宙');
});

t.test('what the recognizer is sure of stays', async (t) => {
  t.equal(settled([...before, full(',', 0.99), ...after]), '天地玄黄,宇宙');
  t.equal(settled([...before, half('，', 0.95), ...after]), '天地玄黄，宇宙', 'a line end may be squeezed');
});

t.test('a space goes with the half-width mark that it belonged to', async (t) => {
  const wide = { ...half(','), advance: 24 };
  t.equal(settled([...before, wide, space(), ...after]), '天地玄黄，宇宙');
  t.equal(settled([...before, { ...wide, probability: 0.9 }, space(), ...after]), '天地玄黄, 宇宙');
});

t.test('a bracket without room to go by follows its partner', async (t) => {
  const opening = { ...full('('), ink: [28, 34] } as const;
  t.equal(settled([opening, ...before, full(')'), ...after]), '（天地玄黄）宇宙');
  t.equal(settled([...before, opening, ...after, full(')', 0.9)]), '天地玄黄（宇宙）');
  t.equal(settled([...before, half('(', 0.99), ...after, half('）')]), '天地玄黄(宇宙)');
  t.equal(settled([half('('), ...before, half('）')]), '(天地玄黄）', 'two that are in doubt stay');
});

t.test('where there is nothing to measure marks stay', async (t) => {
  t.equal(settled([han('天'), full(','), han('地')]), '天,地', 'no distance of ideographs');
  t.equal(settled([...before, full(','), full('!'), ...after]), '天地玄黄,!宇宙', 'two marks share their room');
  t.equal(settled([...before, { ...full(','), advance: 90 }, ...after]), '天地玄黄,宇宙', 'a gap of the layout');
  t.equal(
    settled(
      [...before, full(','), ...after].map(({ character, advance }) => ({ character, advance, probability: 0.6 })),
    ),
    '天地玄黄,宇宙',
  );
});
