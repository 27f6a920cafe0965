import t from 'tap';
import type { Session } from '../../src/ocr/session.ts';
import { readingQuality, recognizeText, type Reading } from '../../src/ocr/text-recognition.ts';
import { drawText, FAKE_CHARSET, fakeRecognizer, paper } from './fake-session.ts';

t.test('reads a line image at its own width', async (t) => {
  const line = paper(203, 48);
  drawText(line, 'ABBA', { left: 10, top: 9, em: 30 });
  const session = fakeRecognizer({ upright: 0.75, other: 0.1 });
  const reading = await recognizeText(line, session, FAKE_CHARSET);
  t.equal(reading.text, 'ABBA');
  t.equal(reading.confidence, 0.75);
  t.equal(reading.width, 203);
  t.strictSame(session.runs, [[1, 3, 48, 203]]);
});

t.test('confidence is the mean over characters; without any it is 0, not NaN', async (t) => {
  const reading = (data: number[]): Promise<Reading> => {
    const session: Session = {
      run: () => Promise.resolve({ data: Float32Array.from(data), dims: [1, data.length / 4, 4] }),
    };
    return recognizeText(paper(16, 48), session, FAKE_CHARSET);
  };
  const two = await reading([0, 1, 0, 0, 0, 0, 0.5, 0]);
  t.strictSame([two.text, two.confidence], ['AB', 0.75]);
  const none = await reading([1, 0, 0, 0, 1, 0, 0, 0]);
  t.strictSame([none.text, none.confidence], ['', 0]);
});

t.test('the recognizer sees planes B, G, R of -1..1', async (t) => {
  let seen: Float32Array | undefined;
  const session: Session = {
    run: (input) => {
      seen = input;
      return Promise.resolve({ data: new Float32Array(0), dims: [1, 0, 4] });
    },
  };
  await recognizeText({ data: Uint8Array.from([255, 0, 51, 0, 255, 204]), width: 2, height: 1 }, session, FAKE_CHARSET);
  const rounded = seen && Array.from(seen, (value) => Math.round(value * 1000) / 1000);
  t.strictSame(rounded, [-0.6, 0.6, -1, 1, 1, -1]);
});

t.test('quality discounts readings that are too short for their image', async (t) => {
  const quality = (text: string, width: number): number =>
    readingQuality({ text, width, confidence: 0.8, characters: [] });
  t.equal(quality('AB', 320), 0.8, 'two characters where two are expected');
  t.equal(quality('A', 320), 0.4, 'one where two are expected');
  t.equal(quality('A    ', 320), 0.4, 'spaces do not count');
  t.equal(quality('😀', 320), 0.4, 'a surrogate pair is one character');
  t.equal(quality('', 320), 0);
  t.equal(quality('ABCDEFGH', 320), 0.8, 'more than expected is no bonus');
  t.equal(quality('A', 192), 0.8, 'up to 192 px one character may stand alone');
  t.ok(quality('A', 193) < 0.8);
});
