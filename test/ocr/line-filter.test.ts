import t from 'tap';
import { countConvincing, isText } from '../../src/ocr/line-filter.ts';
import type { ReadLine } from '../../src/ocr/line-reading.ts';
import type { QuarterTurns } from '../../src/ocr/page.ts';
import { toQuad } from './opencv/reference.ts';

interface Given {
  readonly text: string;
  readonly confidence: number;
  readonly hasInk?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly turns?: QuarterTurns;
}

/** A line on a page of 1000 x 800. */
function line({ text, confidence, hasInk = true, width = 200, height = 30, turns = 0 }: Given): ReadLine {
  const tight = toQuad([0, 0, width, 0, width, height, 0, height]);
  return {
    region: { kernel: tight, loose: tight, tight, strokes: [0, 0], hasInk, score: 0.9 },
    tight,
    tall: false,
    ambiguous: false,
    split: false,
    em: height,
    reading: { text, confidence, characters: [], width: 300 },
    turns,
    crop: tight,
  };
}

const accepted = (given: Given, convincing = 20): boolean => isText(line(given), convincing, 1000, 800);

t.test('confidence by length', async (t) => {
  t.ok(accepted({ text: 'total', confidence: 0.5 }));
  t.notOk(accepted({ text: 'total', confidence: 0.499 }));
  t.ok(accepted({ text: '元', confidence: 0.62 }));
  t.notOk(accepted({ text: '元', confidence: 0.619 }));
  t.ok(accepted({ text: '元元', confidence: 0.5 }));
  t.notOk(accepted({ text: ' 元 ', confidence: 0.6 }), 'white space does not make it longer');
  t.notOk(accepted({ text: '😀', confidence: 0.6 }), 'a surrogate pair is one character');
  t.notOk(accepted({ text: '  ', confidence: 1 }), 'white space alone is nothing');
  t.notOk(accepted({ text: '', confidence: 1 }));
});

t.test('one or two characters need ink and company, or certainty', async (t) => {
  t.notOk(accepted({ text: 'ab', confidence: 0.899, hasInk: false }));
  t.ok(accepted({ text: 'ab', confidence: 0.9, hasInk: false }));
  t.ok(accepted({ text: 'abc', confidence: 0.6, hasInk: false }), 'three characters are enough');
  t.notOk(accepted({ text: 'ab', confidence: 0.899 }, 3), 'with three convincing lines');
  t.ok(accepted({ text: 'ab', confidence: 0.899 }, 4), 'with four');
  t.ok(accepted({ text: 'ab', confidence: 0.9 }, 1));
});

t.test('what is the size of the image is doubted', async (t) => {
  t.ok(accepted({ text: 'total', confidence: 0.8, width: 1050 }));
  t.notOk(accepted({ text: 'total', confidence: 0.8, width: 1051 }));
  t.notOk(accepted({ text: 'total', confidence: 0.8, height: 1051 }), 'or as high as its longer side');
  t.ok(accepted({ text: 'total', confidence: 0.9, width: 1051 }), 'but sure text may be as long');
  // A fifth of 1000 x 800 is 400 x 400.
  t.ok(accepted({ text: '福', confidence: 0.8, width: 400, height: 400 }));
  t.notOk(accepted({ text: '福', confidence: 0.8, width: 401, height: 400 }));
  t.ok(accepted({ text: '福', confidence: 0.9, width: 401, height: 400 }));
  t.ok(accepted({ text: '福', confidence: 0.99, width: 980, height: 790 }), 'a sign of one character');
  t.notOk(accepted({ text: '5', confidence: 0.99, width: 1010, height: 801 }), 'larger than the picture');
  t.ok(accepted({ text: '福到', confidence: 0.8, width: 800, height: 400 }), 'two characters may be larger');
  t.notOk(accepted({ text: '337', confidence: 0.8, width: 900, height: 500 }), 'but not half of the picture');
  t.ok(accepted({ text: '3371', confidence: 0.8, width: 900, height: 500 }), 'unless there are more of them');
});

t.test('shapes on a picture without text are not letters', async (t) => {
  t.notOk(accepted({ text: 'O', confidence: 0.96 }, 0));
  t.notOk(accepted({ text: '□1', confidence: 0.96 }, 0));
  t.ok(accepted({ text: 'O', confidence: 0.97 }, 0), 'unless they are sure');
  t.ok(accepted({ text: 'O', confidence: 0.91 }, 1), 'or something else is text');
  t.ok(accepted({ text: '合计', confidence: 0.91 }, 0), 'or there are two that are no shapes');
  t.notOk(accepted({ text: '品', confidence: 0.96 }, 0), 'overlapping boxes look like one');
  t.ok(accepted({ text: '品', confidence: 0.97 }, 0));
  t.notOk(accepted({ text: '□', confidence: 0.999 }, 0), 'a drawn box is never text on its own');
  t.ok(accepted({ text: '□', confidence: 0.999 }, 1), 'but a box to tick beside text');
});

t.test('convincing lines', async (t) => {
  const count = (...given: Given[]): number => countConvincing(given.map(line));
  t.equal(count({ text: '合计', confidence: 0.8 }, { text: 'ab', confidence: 0.99 }), 2);
  t.equal(count({ text: '合计', confidence: 0.79 }), 0, 'too unsure');
  t.equal(count({ text: '合', confidence: 1 }, { text: 'a.', confidence: 1 }), 0, 'one letter');
  t.equal(count({ text: 'OO', confidence: 1 }, { text: '|||', confidence: 1 }), 0, 'shapes');
});

t.test('where nothing else is text, little of it has to be sure and upright', async (t) => {
  t.notOk(accepted({ text: '785', confidence: 0.79 }, 0));
  t.ok(accepted({ text: '785', confidence: 0.8 }, 0));
  t.ok(accepted({ text: '785', confidence: 0.7 }, 4));
  t.ok(accepted({ text: '7851', confidence: 0.79 }, 0), 'four characters are enough');
  t.notOk(accepted({ text: 'C', confidence: 0.99, turns: 2 }, 0));
  t.ok(accepted({ text: 'C', confidence: 0.99, turns: 2 }, 1), 'on a page that lies so');
  t.ok(accepted({ text: 'CA', confidence: 0.99, turns: 2 }, 0));
});
