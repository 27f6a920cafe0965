/**
 * The pixel loops of the pipeline, in AssemblyScript: WebAssembly works on 16 bytes at a time, which JavaScript cannot.
 * `src/ocr/pixel-kernels.ts` puts the pixels into this module's memory and is its only caller; `node scripts/pixel-kernels.ts`
 * compiles it. Nothing here allocates: all memory is the caller's, whose buffers are followed by 64 bytes that loads and stores
 * may reach.
 *
 * Vectors of WebAssembly are the same on every processor (no fused multiplication and addition), and so are the pixels.
 */

/** The first two of packed RGB pixels as 16-bit numbers, channel by channel: r0 r1 g0 g1 b0 b1 0 0. */
function firstPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}

/** The same of the third and fourth pixel. */
function secondPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
}

function loadPair(address: usize): v128 {
  return firstPair(v128.load64_zero(address));
}

/**
 * Filters a row of packed RGB pixels along itself.
 *
 * @param source address of the row
 * @param starts for every output pixel the byte offset of its first tap in the row (i32)
 * @param weights for every output pixel `2 * pairs` weights (i16); a missing tap has weight 0
 * @param count output pixels
 * @param out sums of products for each output value (f32, packed RGB); exact, as they stay under 2^24
 */
export function filterRow(source: usize, starts: usize, weights: usize, pairs: i32, count: i32, out: usize): void {
  const end = out + 12 * <usize>count;
  if (pairs === 1) {
    for (; out < end; out += 12, starts += 4, weights += 4) {
      const sum = i32x4.dot_i16x8_s(loadPair(source + load<i32>(starts)), v128.load32_splat(weights));
      v128.store(out, f32x4.convert_i32x4_s(sum));
    }
  } else if (pairs === 2) {
    for (; out < end; out += 12, starts += 4, weights += 8) {
      const four = v128.load(source + load<i32>(starts));
      const sum = i32x4.add(
        i32x4.dot_i16x8_s(firstPair(four), v128.load32_splat(weights)),
        i32x4.dot_i16x8_s(secondPair(four), v128.load32_splat(weights, 4)),
      );
      v128.store(out, f32x4.convert_i32x4_s(sum));
    }
  } else {
    for (; out < end; out += 12, starts += 4) {
      let sum = i32x4.splat(0);
      let pixel = source + load<i32>(starts);
      for (let pair = 0; pair < pairs; pair++, pixel += 6, weights += 4) {
        sum = i32x4.add(sum, i32x4.dot_i16x8_s(loadPair(pixel), v128.load32_splat(weights)));
      }
      v128.store(out, f32x4.convert_i32x4_s(sum));
    }
  }
}

/**
 * Blends filtered rows into one row of pixels: rounded to the nearest level, halves to the even one, and clipped to 0..255.
 *
 * @param rows addresses of the rows (u32), `taps` of them
 * @param weights of the rows (f32)
 * @param count values, three for each pixel
 */
export function blendRows(rows: usize, weights: usize, taps: i32, count: i32, out: usize): void {
  for (let i: usize = 0, end = <usize>count; i < end; i += 16) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let k: usize = 0; k < 4 * <usize>taps; k += 4) {
      const row = <usize>load<u32>(rows + k) + 4 * i;
      const weight = v128.load32_splat(weights + k);
      a = f32x4.add(a, f32x4.mul(weight, v128.load(row)));
      b = f32x4.add(b, f32x4.mul(weight, v128.load(row, 16)));
      c = f32x4.add(c, f32x4.mul(weight, v128.load(row, 32)));
      d = f32x4.add(d, f32x4.mul(weight, v128.load(row, 48)));
    }
    v128.store(
      out + i,
      i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(level(a), level(b)), i16x8.narrow_i32x4_s(level(c), level(d))),
    );
  }
}

function level(value: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(value));
}

/** Lowest bytes of three 32-bit numbers of 0..255 or beyond (clipped) to three bytes at `out`. */
function storePixel(out: usize, value: v128): void {
  const half = i16x8.narrow_i32x4_s(value, value);
  const bytes = i8x16.narrow_i16x8_u(half, half);
  v128.store_lane<u16>(out, bytes, 0);
  v128.store_lane<u8>(out, bytes, 2, 2);
}

/** Positions between two pixels count in 64ths. */
const PHASE_BITS: i32 = 6;
const PHASES: i32 = 1 << PHASE_BITS;

/**
 * Samples a parallelogram bilinearly, exactly: weights are whole 4096ths, halves go to the even level.
 *
 * @param source address of packed RGB pixels, rows of `stride` bytes
 * @param x position of the first output pixel's centre between pixel centres, in pixels, not negative; likewise y. Every
 * position has its taps inside
 * @param stepX what x grows by from column to column, `downX` from row to row
 */
export function sampleLinear(
  source: usize,
  stride: i32,
  x: f64,
  y: f64,
  stepX: f64,
  stepY: f64,
  downX: f64,
  downY: f64,
  width: i32,
  height: i32,
  out: usize,
): void {
  for (let j = 0; j < height; j++) {
    const rowX = x + downX * <f64>j;
    const rowY = y + downY * <f64>j;
    for (let i = 0; i < width; i++, out += 3) {
      const px = <i32>((rowX + stepX * <f64>i) * <f64>PHASES + 0.5);
      const py = <i32>((rowY + stepY * <f64>i) * <f64>PHASES + 0.5);
      const wx = px & (PHASES - 1);
      const wy = py & (PHASES - 1);
      const p = source + (py >> PHASE_BITS) * stride + (px >> PHASE_BITS) * 3;
      const across = (PHASES - wx) | (wx << 16);
      const sum = i32x4.add(
        i32x4.dot_i16x8_s(loadPair(p), i32x4.splat(across * (PHASES - wy))),
        i32x4.dot_i16x8_s(loadPair(p + stride), i32x4.splat(across * wy)),
      );
      const even = v128.and(i32x4.shr_u(sum, 12), i32x4.splat(1));
      storePixel(out, i32x4.shr_s(i32x4.add(sum, i32x4.add(even, i32x4.splat(2047))), 12));
    }
  }
}

/**
 * The same with four taps a side.
 *
 * @param weights of the four taps of each phase in whole numbers (i16), 65 phases
 * @param rowWeights the same as shares (f32)
 */
export function sampleCubic(
  source: usize,
  stride: i32,
  x: f64,
  y: f64,
  stepX: f64,
  stepY: f64,
  downX: f64,
  downY: f64,
  width: i32,
  height: i32,
  out: usize,
  weights: usize,
  rowWeights: usize,
): void {
  for (let j = 0; j < height; j++) {
    const rowX = x + downX * <f64>j;
    const rowY = y + downY * <f64>j;
    for (let i = 0; i < width; i++, out += 3) {
      const px = <i32>((rowX + stepX * <f64>i) * <f64>PHASES + 0.5);
      const py = <i32>((rowY + stepY * <f64>i) * <f64>PHASES + 0.5);
      const across = weights + <usize>((px & (PHASES - 1)) << 3);
      const first = v128.load32_splat(across);
      const second = v128.load32_splat(across, 4);
      const down = rowWeights + <usize>((py & (PHASES - 1)) << 4);
      let p = source + ((py >> PHASE_BITS) - 1) * stride + ((px >> PHASE_BITS) - 1) * 3;
      let sum = f32x4.splat(0);
      for (let k: usize = 0; k < 16; k += 4) {
        const four = v128.load(p);
        const row = i32x4.add(i32x4.dot_i16x8_s(firstPair(four), first), i32x4.dot_i16x8_s(secondPair(four), second));
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(down + k), f32x4.convert_i32x4_s(row)));
        p += stride;
      }
      storePixel(out, level(sum));
    }
  }
}

/**
 * Counts the levels of each channel in columns [from, to) of a crop.
 *
 * @param counts 3 x 256 counts (u32), to which this adds; as many again after them, at zero, for every second pixel: a page is
 * mostly of one colour, and adding to the same count twice in a row has to wait
 */
function countLevels(source: usize, width: i32, height: i32, from: i32, to: i32, counts: usize): void {
  for (let y = 0; y < height; y++) {
    let p = source + (y * width + from) * 3;
    const end = p + (to - from) * 3;
    for (let odd: usize = 0; p < end; p += 3, odd ^= 3072) {
      const at = counts + odd;
      increment(at + 4 * <usize>load<u8>(p));
      increment(at + 4 * <usize>load<u8>(p, 1) + 1024);
      increment(at + 4 * <usize>load<u8>(p, 2) + 2048);
    }
  }
}

function increment(address: usize): void {
  store<u32>(address, load<u32>(address) + 1);
}

/** Smallest level that `count` values of a channel do not exceed. */
function quantile(counts: usize, count: f64): i32 {
  let seen: u32 = 0;
  for (let value = 0; value < 256; value++) {
    const at = counts + 4 * <usize>value;
    seen += load<u32>(at) + load<u32>(at, 3072);
    if (<f64>seen >= count) return value;
  }
  return 255;
}

/**
 * How much each pixel differs from the median colour of its block: the largest difference of its channels.
 *
 * @param blocks of equal width, side by side
 * @param counts 6,144 bytes for counting
 * @param out a byte for each pixel
 */
export function measureInk(source: usize, width: i32, height: i32, blocks: i32, counts: usize, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const from = <i32>((<i64>block * width) / blocks);
    const to = <i32>((<i64>(block + 1) * width) / blocks);
    memory.fill(counts, 0, 6144);
    countLevels(source, width, height, from, to, counts);
    const half = <f64>((to - from) * height) / 2;
    const red = quantile(counts, half);
    const green = quantile(counts + 1024, half);
    const blue = quantile(counts + 2048, half);
    for (let y = 0; y < height; y++) {
      const row = y * width + from;
      differ(source + 3 * row, to - from, red, green, blue, out + row);
    }
  }
}

/** The largest difference of the channels of `count` pixels from a colour. */
function differ(source: usize, count: i32, red: i32, green: i32, blue: i32, out: usize): void {
  const reds = i8x16.splat(<i8>red);
  const greens = i8x16.splat(<i8>green);
  const blues = i8x16.splat(<i8>blue);
  let i = 0;
  for (; i + 16 <= count; i += 16, source += 48, out += 16) {
    const a = v128.load(source);
    const b = v128.load(source, 16);
    const c = v128.load(source, 32);
    const most = i8x16.max_u(distance(redsOf(a, b, c), reds), distance(greensOf(a, b, c), greens));
    v128.store(out, i8x16.max_u(most, distance(bluesOf(a, b, c), blues)));
  }
  for (; i < count; i++, source += 3, out++) {
    const most = max(abs(<i32>load<u8>(source) - red), abs(<i32>load<u8>(source, 1) - green));
    store<u8>(out, max(most, abs(<i32>load<u8>(source, 2) - blue)));
  }
}

function distance(a: v128, b: v128): v128 {
  return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
}

/** Red of 16 pixels in 48 bytes. */
function redsOf(a: v128, b: v128, c: v128): v128 {
  const fromA = i8x16.swizzle(a, i8x16(0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const fromB = i8x16.swizzle(b, i8x16(-1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14, -1, -1, -1, -1, -1));
  const fromC = i8x16.swizzle(c, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 4, 7, 10, 13));
  return v128.or(v128.or(fromA, fromB), fromC);
}

/** Green of 16 pixels in 48 bytes. */
function greensOf(a: v128, b: v128, c: v128): v128 {
  const fromA = i8x16.swizzle(a, i8x16(1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const fromB = i8x16.swizzle(b, i8x16(-1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1));
  const fromC = i8x16.swizzle(c, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 5, 8, 11, 14));
  return v128.or(v128.or(fromA, fromB), fromC);
}

/** Blue of 16 pixels in 48 bytes. */
function bluesOf(a: v128, b: v128, c: v128): v128 {
  const fromA = i8x16.swizzle(a, i8x16(2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const fromB = i8x16.swizzle(b, i8x16(-1, -1, -1, -1, -1, 1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1));
  const fromC = i8x16.swizzle(c, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 3, 6, 9, 12, 15));
  return v128.or(v128.or(fromA, fromB), fromC);
}

/**
 * Bytes above `level` in columns [from, to) of every row.
 *
 * @param out a count (u32) for each row
 */
export function countInRows(source: usize, width: i32, height: i32, from: i32, to: i32, level: i32, out: usize): void {
  const limit = i8x16.splat(<i8>level);
  for (let y = 0; y < height; y++, out += 4) {
    let p = source + y * width + from;
    const end = p + (to - from);
    let count: u32 = 0;
    for (; p + 16 <= end; p += 16) count += popcnt(i8x16.bitmask(i8x16.gt_u(v128.load(p), limit)));
    for (; p < end; p++) count += u32(<i32>load<u8>(p) > level);
    store<u32>(out, count);
  }
}

/**
 * Bytes above `level` in rows [from, to) of every column.
 *
 * @param out a count (u32) for each column; the last ones may be written as far as a multiple of 16 columns
 */
export function countInColumns(source: usize, width: i32, from: i32, to: i32, level: i32, out: usize): void {
  const limit = i8x16.splat(<i8>level);
  for (let x = 0; x < width; x += 16, out += 64) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    let p = source + from * width + x;
    for (let y = from; y < to;) {
      // As many rows as a byte can count.
      const until = min(to, y + 255);
      let count = i8x16.splat(0);
      for (; y < until; y++, p += width) count = i8x16.sub(count, i8x16.gt_u(v128.load(p), limit));
      const low = i16x8.extend_low_i8x16_u(count);
      const high = i16x8.extend_high_i8x16_u(count);
      a = i32x4.add(a, i32x4.extend_low_i16x8_u(low));
      b = i32x4.add(b, i32x4.extend_high_i16x8_u(low));
      c = i32x4.add(c, i32x4.extend_low_i16x8_u(high));
      d = i32x4.add(d, i32x4.extend_high_i16x8_u(high));
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
}

/**
 * Packed RGB pixels to three planes, blue, green and red, of values from -1 (level 0) to 1 (level 255).
 *
 * @param count pixels; a multiple of 4 of them is written, over what follows the planes
 * @param out the first plane (f32); the next begins `plane` bytes after it
 */
export function toPlanes(source: usize, count: i32, plane: usize, out: usize): void {
  for (let i = 0; i < count; i += 4, source += 12, out += 16) {
    const pixels = v128.load(source);
    v128.store(out, centred(i8x16.swizzle(pixels, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1))));
    v128.store(
      out + plane,
      centred(i8x16.swizzle(pixels, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1))),
    );
    v128.store(
      out + 2 * plane,
      centred(i8x16.swizzle(pixels, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1))),
    );
  }
}

/** Rounded once, as twice a level less 255 is a whole number. */
function centred(levels: v128): v128 {
  const twice = i32x4.sub(i32x4.shl(levels, 1), i32x4.splat(255));
  return f32x4.div(f32x4.convert_i32x4_s(twice), f32x4.splat(255));
}
