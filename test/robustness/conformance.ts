import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { Report } from './report.ts';

/** Files that every decoder has to read (bmpsuite's folder `g`), by name without prefix. */
const BMP_GOOD = new Set(
  (
    'pal1 pal1bg pal1wb pal4 pal4gs pal4rle pal8 pal8-0 pal8gs pal8nonsquare pal8os2 pal8rle pal8topdown pal8v4 pal8v5 ' +
    'pal8w124 pal8w125 pal8w126 rgb16 rgb16-565 rgb16-565pal rgb16bfdef rgb24 rgb24pal rgb32 rgb32bf rgb32bfdef'
  ).split(' '),
);

/** Pillow does not know the masks of rgb32bf; by bmpsuite's own page it is the picture of rgb24. */
const SAME_PICTURE: Readonly<Record<string, string>> = { rgb32bf: 'rgb24' };

/** PngSuite's names: feature, interlacing, colour type, bit depth. Those with `x` are damaged on purpose. */
const PNG_SUITE = /^(?!x)[a-z][a-z0-9]{2,3}[in][0-6][acgp]\d\d$/;

/** Gamma, significant bits and palettes round differently in libspng and Pillow: steps of 255, for each channel. */
const MAX_DIFFERENCE = 2;

interface Reference {
  readonly width?: number;
  readonly height?: number;
  readonly data?: string;
  readonly error?: string;
}

/** The name as the suite has it: collections put the name of the project before it (`pngsuite__basn2c08.png`). */
const plainName = (file: string): string =>
  path
    .basename(file)
    .replace(/^.*__/, '')
    .replace(/\.\w+$/, '');

/** Real camera files and photographs: a JPEG with an Exif block of a camera's maker. */
const isCamera = (bytes: Buffer): boolean =>
  bytes.length > 20_000 && bytes.readUInt16BE(0) === 0xffd8 && /Exif\0\0/.test(bytes.toString('latin1', 0, 4096));

/** Pillow's reading of the files, in their order. */
function references(files: readonly string[]): Reference[] {
  const script = fileURLToPath(new URL('reference-decoder.py', import.meta.url));
  const python = spawnSync(process.env.PYTHON ?? 'python3', [script], {
    input: `${files.join('\n')}\n`,
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  });
  if (python.status !== 0) throw new Error(`the reference decoder ended with ${python.status}: ${python.stderr}`);
  return python.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Reference);
}

const decode = (bytes: Buffer): Promise<RgbImage | string> =>
  decodeImage(bytes, { maxSide: 4096 }).catch((error: unknown) => String(error));

function compare(found: RgbImage | string, reference: Reference): string | undefined {
  if (typeof found === 'string') return found;
  if (reference.data === undefined) return `the reference cannot: ${reference.error}`;
  if (found.width !== reference.width || found.height !== reference.height) {
    return `${found.width} x ${found.height} instead of ${reference.width} x ${reference.height}`;
  }
  const expected = Buffer.from(reference.data, 'base64');
  let worst = 0;
  for (let at = 0; at < expected.length; at += 1) worst = Math.max(worst, Math.abs(found.data[at] - expected[at]));
  return worst > MAX_DIFFERENCE ? `differs by ${worst}` : undefined;
}

/** Small damage as cards and downloads leave it: a byte that flipped in the picture data, and a tail that is missing. */
function damage(bytes: Buffer): { name: string; file: Buffer }[] {
  const flipped = (share: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[Math.floor(copy.length * share)] ^= 0x10;
    return copy;
  };
  return [
    { name: 'a flipped bit at 60 %', file: flipped(0.6) },
    { name: 'a flipped bit at 90 %', file: flipped(0.9) },
    { name: 'the last 1 % missing', file: bytes.subarray(0, Math.floor(bytes.length * 0.99)) },
    { name: 'without its end marker', file: bytes.subarray(0, bytes.length - 2) },
    { name: 'followed by other bytes', file: Buffer.concat([bytes, Buffer.alloc(1000, 0x55)]) },
  ];
}

/** `conformance DIR...`: bmpsuite, PngSuite and camera JPEGs of these folders; needs Python with Pillow and numpy (PYTHON). */
export async function run(folders: readonly string[]): Promise<Report> {
  const report = new Report();
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)));
  const suites = [
    ['bmpsuite', files.filter((file) => file.endsWith('.bmp') && BMP_GOOD.has(plainName(file)))],
    ['PngSuite', files.filter((file) => file.endsWith('.png') && PNG_SUITE.test(plainName(file)))],
  ] as const;
  for (const [name, members] of suites) {
    const standIn = (file: string): string => {
      const same = SAME_PICTURE[plainName(file)];
      return (same && members.find((member) => plainName(member) === same)) ?? file;
    };
    const expected = references(members.map(standIn));
    const wrong: string[] = [];
    for (const [index, file] of members.entries()) {
      const fault = compare(await decode(readFileSync(file)), expected[index]);
      if (fault !== undefined) wrong.push(`${path.basename(file)}: ${fault}`);
    }
    report.check(
      `${name}: ${members.length - wrong.length} of ${members.length} as Pillow has them (each channel within ${MAX_DIFFERENCE} of 255)${wrong.length > 0 ? `; ${wrong.join('; ')}` : ''}`,
      members.length > 0 && wrong.length === 0,
    );
  }

  const cameras = files.filter((file) => /\.jpe?g$/i.test(file)).filter((file) => isCamera(readFileSync(file)));
  const readable = [];
  for (const file of cameras) if (typeof (await decode(readFileSync(file))) !== 'string') readable.push(file);
  const refused = new Map<string, string[]>();
  let tried = 0;
  for (const file of readable) {
    for (const { name, file: damaged } of damage(readFileSync(file))) {
      tried += 1;
      const found = await decode(damaged);
      if (typeof found === 'string')
        refused.set(name, [...(refused.get(name) ?? []), `${path.basename(file)}: ${found}`]);
    }
  }
  const all = [...refused].map(([name, faults]) => `${name}: ${faults.join(', ')}`);
  report.check(
    `camera JPEGs: ${readable.length} of ${cameras.length} are read as they are; of ${tried} slightly damaged copies ${tried - [...refused.values()].flat().length}${all.length > 0 ? `; not ${all.join('; ')}` : ''}`,
    readable.length > 0 && refused.size === 0,
  );
  return report;
}
