import t from 'tap';
import { LineHelper } from '../../src/engine/line-helper.ts';
import type { LineImage, LineReading } from '../../src/engine/protocol.ts';
import type { Session } from '../../src/ocr/session.ts';
import { drawText, FAKE_CHARSET, fakeRecognizer, paper } from '../ocr/fake-session.ts';

function lineOf(page: number, index: number, text: string): LineImage {
  const image = paper(200, 48);
  drawText(image, text, { left: 10, top: 9, em: 30 });
  return { type: 'line', page, helper: 1, index, image };
}

/** A helper whose recognizer waits at every line until it is let go on. */
function heldHelper(recognizer: Session = fakeRecognizer()) {
  const sent: LineReading[] = [];
  const held: (() => void)[] = [];
  const session: Session = {
    async run(input, dims) {
      await new Promise<void>((resolve) => held.push(resolve));
      return recognizer.run(input, dims);
    },
  };
  const helper = new LineHelper(session, FAKE_CHARSET, async (reading) => void sent.push(reading));
  const goOn = async (): Promise<void> => {
    held.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { helper, sent, goOn, waiting: () => held.length };
}

t.test('lines are read one after the other, in the order in which they came', async (t) => {
  const { helper, sent, goOn, waiting } = heldHelper();
  helper.add(lineOf(1, 9, 'AB'));
  helper.add(lineOf(1, 8, 'BB'));
  t.equal(waiting(), 1);
  await goOn();
  await goOn();
  t.match(sent, [
    { type: 'reading', page: 1, index: 9, reading: { text: 'AB' } },
    { type: 'reading', page: 1, index: 8, reading: { text: 'BB' } },
  ]);
  helper.add(lineOf(1, 7, 'A'));
  await goOn();
  t.match(sent[2], { index: 7, reading: { text: 'A' } });
});

t.test('a page of its own comes after the line in work', async (t) => {
  const { helper, sent, goOn } = heldHelper();
  for (const index of [9, 8, 7]) helper.add(lineOf(1, index, 'AB'));
  const stopped = helper.stop();
  await goOn();
  await stopped;
  t.strictSame(
    sent.map(({ index }) => index),
    [9],
  );
  await helper.stop();
});

t.test('lines of an earlier page are left', async (t) => {
  const { helper, sent, goOn } = heldHelper();
  for (const index of [9, 8]) helper.add(lineOf(1, index, 'AB'));
  helper.add(lineOf(2, 5, 'B'));
  await goOn();
  await goOn();
  t.strictSame(
    sent.map(({ page, index }) => [page, index]),
    [
      [1, 9],
      [2, 5],
    ],
  );
});

t.test('a line that cannot be read is answered too', async (t) => {
  const { helper, sent, goOn } = heldHelper({ run: () => Promise.reject(new Error('out of memory')) });
  helper.add(lineOf(1, 9, 'AB'));
  await goOn();
  t.strictSame(sent, [{ type: 'reading', page: 1, index: 9 }]);
});
