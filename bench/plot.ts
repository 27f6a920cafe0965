/** A series of points, drawn as dots in the order given and joined if `line` says so. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Points of a straight line through the series, drawn dashed. */
  readonly fit?: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 16, top: 40, bottom: 48 };
/** Told apart by the colour-blind too (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const TICKS = 6;

/** Round steps (1, 2 or 5 times a power of ten) from 0 to at least `highest`. */
export function ticksUpTo(highest: number): number[] {
  const rough = Math.max(highest, Number.MIN_VALUE) / (TICKS - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const label = (x: number, y: number, text: string, anchor: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${more}>${escape(text)}</text>`;

function frame(title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    label(WIDTH / 2, 22, title, 'middle', ' font-size="15"'),
    ...body,
    '</svg>\n',
  ].join('\n');
}

/** An SVG file: dots over two axes that begin at 0. */
export function lineChart(title: string, xLabel: string, yLabel: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  const xTicks = ticksUpTo(Math.max(...all.map(([x]) => x)));
  const yTicks = ticksUpTo(Math.max(...all.map(([, y]) => y)));
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const toX = (x: number): number => MARGIN.left + ((right - MARGIN.left) * x) / (xTicks.at(-1) ?? 1);
  const toY = (y: number): number => bottom - ((bottom - MARGIN.top) * y) / (yTicks.at(-1) ?? 1);
  const path = (points: Series['points']): string =>
    points.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(' ');
  return frame(title, [
    ...yTicks.map((y) => `<path d="M${MARGIN.left} ${toY(y).toFixed(1)}H${right}" stroke="#ddd"/>`),
    ...yTicks.map((y) => label(MARGIN.left - 8, toY(y) + 4, String(y), 'end')),
    ...xTicks.map((x) => label(toX(x), bottom + 18, String(x), 'middle')),
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}" stroke="#333" fill="none"/>`,
    label((MARGIN.left + right) / 2, HEIGHT - 10, xLabel, 'middle'),
    label(16, (MARGIN.top + bottom) / 2, yLabel, 'middle', ` transform="rotate(-90 16 ${(MARGIN.top + bottom) / 2})"`),
    ...series.flatMap(({ name, points, fit }, i) => {
      const colour = COLOURS[i % COLOURS.length];
      return [
        ...points.map(
          ([x, y]) => `<circle cx="${toX(x).toFixed(1)}" cy="${toY(y).toFixed(1)}" r="4" fill="${colour}"/>`,
        ),
        fit === undefined
          ? ''
          : `<polyline points="${path(fit)}" fill="none" stroke="${colour}" stroke-dasharray="5 4"/>`,
        label(MARGIN.left + 12, MARGIN.top + 14 + 16 * i, `● ${name}`, 'start', ` fill="${colour}"`),
      ];
    }),
  ]);
}

/** A bar with the least and the greatest of the values that it is the median of. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly least: number;
  readonly greatest: number;
}

/** An SVG file: lying bars, shorter is better. */
export function barChart(title: string, xLabel: string, bars: readonly Bar[]): string {
  const left = 230;
  const right = WIDTH - 70;
  const ticks = ticksUpTo(Math.max(...bars.map(({ greatest }) => greatest)));
  const toX = (x: number): number => left + ((right - left) * x) / (ticks.at(-1) ?? 1);
  const bottom = HEIGHT - MARGIN.bottom;
  const height = (bottom - MARGIN.top) / bars.length;
  return frame(title, [
    ...ticks.map((x) => `<path d="M${toX(x).toFixed(1)} ${MARGIN.top}V${bottom}" stroke="#ddd"/>`),
    ...ticks.map((x) => label(toX(x), bottom + 18, String(x), 'middle')),
    label((left + right) / 2, HEIGHT - 10, xLabel, 'middle'),
    ...bars.flatMap(({ name, value, least, greatest }, i) => {
      const y = MARGIN.top + height * (i + 0.5);
      return [
        `<rect x="${left}" y="${(y - height * 0.3).toFixed(1)}" width="${(toX(value) - left).toFixed(1)}" height="${(height * 0.6).toFixed(1)}" fill="${COLOURS[i % COLOURS.length]}"/>`,
        `<path d="M${toX(least).toFixed(1)} ${y.toFixed(1)}H${toX(greatest).toFixed(1)}" stroke="#333" stroke-width="2"/>`,
        label(left - 8, y + 4, name, 'end'),
        label(toX(greatest) + 6, y + 4, value.toPrecision(3), 'start'),
      ];
    }),
  ]);
}
