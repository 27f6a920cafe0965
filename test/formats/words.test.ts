import t from 'tap';
import { splitWords } from '../../src/formats/words.ts';
import { makeLine } from './make-document.ts';

const wordsOf = (text: string) => splitWords(makeLine(text, 0, 0).characters ?? []);
const texts = (text: string): string[] => wordsOf(text).map((word) => word.text);

t.test('spaced text is split at white space only', async (t) => {
  t.strictSame(texts('Total:  1,286.50 li.ming@example.com'), ['Total:', '1,286.50', 'li.ming@example.com']);
  t.strictSame(
    wordsOf('a b').map(({ spaceAfter }) => spaceAfter),
    [true, false],
  );
});

t.test('Chinese is split where the dictionary sees words, and from other scripts', async (t) => {
  t.strictSame(texts('全年接待读者'), ['全年', '接待', '读者']);
  t.strictSame(texts('编号：OCR-2026-0815（样本）'), ['编号', '：', 'OCR-2026-0815', '（', '样本', '）']);
  t.ok(wordsOf('编号OCR').every(({ spaceAfter }) => !spaceAfter));
});

t.test('nothing is lost, whatever the characters', async (t) => {
  for (const text of ['𠮷野家 𠮷', 'ａｂｃ１２', '—1—', 'éü ñ', '。。。', '']) {
    t.equal(texts(text).join(''), text.replaceAll(' ', ''));
  }
});

t.test('a word reaches from its first to its last character and has their mean confidence', async (t) => {
  const line = makeLine('ab', 10, 5, 20);
  const [a, b] = line.characters ?? [];
  t.ok(a && b);
  if (!a || !b) return;
  const [word] = splitWords([
    { ...a, confidence: 0.5 },
    { ...b, confidence: 1 },
  ]);
  t.match(word, { text: 'ab', confidence: 0.75, quad: line.quad, spaceAfter: false });
});
