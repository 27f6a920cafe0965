import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readOnnxMetadata } from '../../src/models/onnx-metadata.ts';

const EMBEDDED = fileURLToPath(new URL('../../models/pp-ocrv6-small-int8/', import.meta.url));

t.test('the dictionary of a real model', async (t) => {
  const metadata = readOnnxMetadata(await readFile(`${EMBEDDED}recognizer.onnx`));
  t.equal(`${metadata.get('character')}\n`, await readFile(`${EMBEDDED}dictionary.txt`, 'utf8'));
});

t.test('fields of every wire type are passed over, entries are read', async (t) => {
  const entry = [0x0a, 1, 0x6b, 0x12, 3, 0xef, 0xbb, 0xbf];
  const model = [
    ...[0x08, 10], // ir_version
    ...[0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], // model_version -1
    ...[0x7d, 1, 2, 3, 4], // 32 bits
    ...[0x79, 1, 2, 3, 4, 5, 6, 7, 8], // 64 bits
    ...[0x3a, 0x80, 0x01, ...Array<number>(128).fill(0x72)], // a graph of 128 bytes
    ...[0x72, entry.length, ...entry],
  ];
  t.strictSame([...readOnnxMetadata(Uint8Array.from(model))], [['k', '\ufeff']]);
});

t.test('what is no model is refused', async (t) => {
  const rows: [string, number[]][] = [
    ['a field beyond the end', [0x72, 100, 1]],
    ['a number that does not end', [0x08, 0x80]],
    ['a length that does not end', [0x72, ...Array<number>(12).fill(0xff)]],
    ['a group', [0x0b]],
    ['a negative number of eleven bytes', [0x08, ...Array<number>(11).fill(0xff)]],
  ];
  for (const [name, bytes] of rows) t.throws(() => readOnnxMetadata(Uint8Array.from(bytes)), RangeError, name);
});
