import { PIXELS_WASM } from './pixels-wasm.ts';
import type { RgbImage } from './rgb-image.ts';

/** What is used here of WebAssembly's interface, which the types of Node.js lack. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What `assembly/pixels.ts` exports; its comments say what each does. Addresses are bytes from the start of `memory`. */
interface PixelKernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  filterRow(source: number, starts: number, weights: number, pairs: number, count: number, out: number): void;
  blendRows(rows: number, weights: number, taps: number, count: number, out: number): void;
  sampleLinear(...args: SampleArguments): void;
  sampleCubic(...args: [...SampleArguments, weights: number, rowWeights: number]): void;
  measureInk(source: number, width: number, height: number, blocks: number, counts: number, out: number): void;
  countInRows(
    source: number,
    width: number,
    height: number,
    from: number,
    to: number,
    level: number,
    out: number,
  ): void;
  countInColumns(source: number, width: number, from: number, to: number, level: number, out: number): void;
  toPlanes(source: number, count: number, plane: number, out: number): void;
}

type SampleArguments = [
  source: number,
  stride: number,
  x: number,
  y: number,
  stepX: number,
  stepY: number,
  downX: number,
  downY: number,
  width: number,
  height: number,
  out: number,
];

const WASM_PAGE = 65_536;
/** Vectors are loaded and stored as a whole: up to so many bytes beyond a buffer's end. */
const SLACK = 64;

const module = new WebAssembly.Module(Buffer.from(PIXELS_WASM, 'base64'));

/** The kernels and their memory, which is empty at the start of each use and belongs to the process: use it without awaiting. */
export const kernels = new WebAssembly.Instance(module).exports as PixelKernels;

/** The memory as it is now; `reserve` may replace it. */
export let memory = new Uint8Array(kernels.memory.buffer);

/** Makes room for buffers of these sizes in bytes and gives their addresses, which are multiples of 16. What was there is gone. */
export function reserve<const Sizes extends readonly number[]>(sizes: Sizes): { [I in keyof Sizes]: number } {
  let end = 0;
  const addresses = sizes.map((size) => {
    const address = end;
    end = Math.ceil((end + size + SLACK) / 16) * 16;
    return address;
  });
  if (end > memory.length) {
    kernels.memory.grow(Math.ceil((end - memory.length) / WASM_PAGE));
    memory = new Uint8Array(kernels.memory.buffer);
  }
  return addresses as { [I in keyof Sizes]: number };
}

/** Puts columns [from, to) of an image's row at an address. Outside of the image its border is repeated. */
export function putRow(image: RgbImage, row: number, from: number, to: number, address: number): void {
  const { data, width, height } = image;
  const inside = Math.min(Math.max(row, 0), height - 1) * width;
  const first = Math.min(Math.max(from, 0), width - 1);
  const end = Math.max(first + 1, Math.min(to, width));
  const left = Math.min(Math.max(0, -from), to - from - 1);
  memory.set(data.subarray(3 * (inside + first), 3 * (inside + end)), address + 3 * left);
  for (let i = 0; i < left; i++) memory.copyWithin(address + 3 * i, address + 3 * left, address + 3 * left + 3);
  const filled = left + end - first;
  const last = address + 3 * (filled - 1);
  for (let i = filled; i < to - from; i++) memory.copyWithin(address + 3 * i, last, last + 3);
}
