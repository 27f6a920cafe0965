import t from 'tap';
import type { LineImage, SharingMessage } from '../../src/engine/protocol.ts';
import { SharedLines } from '../../src/engine/shared-lines.ts';
import { cropLine } from '../../src/ocr/line-crop.ts';
import type { LinePlace } from '../../src/ocr/line-help.ts';
import type { Reading } from '../../src/ocr/text-recognition.ts';
import { drawText, paper } from '../ocr/fake-session.ts';
import { toQuad } from '../ocr/opencv/reference.ts';

const PAGE = 7;
const HELPER = 99;

const place = (top: number, width: number): LinePlace => ({
  quad: toQuad([10, top, 10 + width, top, 10 + width, top + 24, 10, top + 24]),
  turns: 0,
});
const readingOf = (text: string): Reading => ({ text, confidence: 1, characters: [], width: 8 });

/** Ten lines of the same width, and everything that was sent about them. */
function tenLines() {
  const image = paper(300, 500);
  const places = Array.from({ length: 10 }, (_, i) => place(20 + 40 * i, 100));
  drawText(image, 'AB', { left: 12, top: 382, em: 20 });
  const sent: SharingMessage[] = [];
  const shared = new SharedLines(PAGE, async (message) => void sent.push(message));
  shared.offer(image, places);
  const lines = (): LineImage[] => sent.filter((message) => message.type === 'line');
  const answer = (index: number): void =>
    shared.addReading({ type: 'reading', page: PAGE, index, reading: readingOf(`helper ${index}`) });
  return { image, places, sent, shared, lines, answer, indexes: () => lines().map(({ index }) => index) };
}

t.test('helpers get lines from the last on, less and less, and never all', async (t) => {
  const { image, places, sent, shared, lines, answer, indexes } = tenLines();
  t.strictSame(sent, [{ type: 'help-wanted', page: PAGE }]);
  shared.addHelper(PAGE, HELPER);
  t.strictSame(indexes(), [9, 8, 7], 'a quarter of the work, begun lines included');
  t.match(lines()[0], { page: PAGE, helper: HELPER, image: cropLine(image, places[9].quad, 0) });
  t.equal(await shared.take(places[0]), undefined, 'the first lines are for the page itself');
  answer(9);
  answer(8);
  t.strictSame(indexes(), [9, 8, 7, 6], 'two at least');
  for (let i = 7; i >= 2; i--) answer(i);
  t.strictSame(indexes(), [9, 8, 7, 6, 5, 4, 3, 2], 'line 1 is the next of the page itself');
  for (let i = 9; i >= 2; i--) t.equal((await shared.take(places[i]))?.text, `helper ${i}`);
});

t.test('what a helper has and has not begun is read by the page itself', async (t) => {
  const { places, shared } = tenLines();
  shared.addHelper(PAGE, HELPER);
  for (const line of places) t.equal(await shared.take(line), undefined);
});

t.test('the line that a helper is just reading is waited for', async (t) => {
  const { places, shared, answer } = tenLines();
  shared.addHelper(PAGE, HELPER);
  await shared.take(places[0]);
  // Reading one line takes a while here, so waiting for a helper's one is worth it.
  const start = performance.now();
  while (performance.now() - start < 200);
  for (let i = 9; i >= 3; i--) answer(i);
  const waiting = shared.take(places[2]);
  setImmediate(() => setImmediate(() => answer(2)));
  t.equal((await waiting)?.text, 'helper 2');
});

t.test('a helper that never answers costs no more than reading its line', async (t) => {
  const { places, shared, answer } = tenLines();
  shared.addHelper(PAGE, HELPER);
  await shared.take(places[0]);
  for (let i = 9; i >= 3; i--) answer(i);
  t.equal(await shared.take(places[2]), undefined);
});

t.test('a line that a helper could not read is read by the page itself, at once', async (t) => {
  const { places, shared, answer, indexes } = tenLines();
  shared.addHelper(PAGE, HELPER);
  await shared.take(places[0]);
  const start = performance.now();
  while (performance.now() - start < 200);
  for (let i = 9; i >= 3; i--) answer(i);
  t.equal(indexes().at(-1), 2);
  const waiting = shared.take(places[2]);
  setImmediate(() => setImmediate(() => shared.addReading({ type: 'reading', page: PAGE, index: 2 })));
  const asked = performance.now();
  t.equal(await waiting, undefined);
  t.ok(performance.now() - asked < 190, 'without waiting for the rest of the time');
});

t.test('places that were not offered, other turns, other pages: nothing is known about them', async (t) => {
  const { places, shared, indexes } = tenLines();
  shared.addHelper(PAGE + 1, HELPER);
  t.strictSame(indexes(), [], 'help for another page');
  shared.addReading({ type: 'reading', page: PAGE + 1, index: 0, reading: readingOf('of another page') });
  shared.addReading({ type: 'reading', page: PAGE, index: 10, reading: readingOf('of no line') });
  t.equal(await shared.take(places[0]), undefined);
  shared.addReading({ type: 'reading', page: PAGE, index: 1, reading: readingOf('known') });
  t.equal(await shared.take({ ...places[1], turns: 2 }), undefined);
  t.equal(await shared.take(place(0, 5)), undefined);
  t.equal((await shared.take(places[1]))?.text, 'known');
});

t.test('one line is not worth asking for', async (t) => {
  const sent: SharingMessage[] = [];
  const shared = new SharedLines(PAGE, async (message) => void sent.push(message));
  shared.offer(paper(100, 100), [place(0, 50)]);
  shared.addHelper(PAGE, HELPER);
  t.strictSame(sent, []);
  t.equal(await shared.take(place(0, 50)), undefined);
});
