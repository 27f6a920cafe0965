import t from 'tap';
import { charsetFromDictionary } from '../../src/ocr/charset.ts';

t.test('blank first, the dictionary in its order, a space last', async (t) => {
  t.strictSame(charsetFromDictionary('的\nA\n🛅\n'), ['', '的', 'A', '🛅', ' ']);
});

t.test('only \\n ends a line, and nothing is trimmed', async (t) => {
  const odd = ['\u3000', '\u2028', '\u0085', '\ufeff', '\r', '\t'];
  t.strictSame(charsetFromDictionary(`${odd.join('\n')}\n`), ['', ...odd, ' ']);
});

t.test('a damaged dictionary is refused, for it would shift every character after the damage', async (t) => {
  t.throws(() => charsetFromDictionary('a\n\nb\n'), { message: 'line 2 of the dictionary is empty' });
  t.throws(() => charsetFromDictionary('a\nb\na\n'), { message: /twice/ });
  t.throws(() => charsetFromDictionary('a\nb'), { message: /does not end/ });
  t.throws(() => charsetFromDictionary(''), RangeError);
});
