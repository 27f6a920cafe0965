import { confidenceOf, type Line } from './answer.ts';
import { button, element, html, setAttributes, svg } from './element.ts';

/** The picture with a box on every line. */
export interface PictureView {
  /** Of the upright picture in pixels; of the text's sheet where it cannot be shown; 0 x 0 while it loads. */
  readonly size: { readonly width: number; readonly height: number };
  /** Shows a picture without boxes. `address`: of a blob or a link that the browser may or may not be able to load. */
  show(address: string, name: string): void;
  /** Draws the boxes of these lines; a picture that cannot be shown is replaced by its text. */
  draw(lines: readonly Line[]): void;
  /** Hides the boxes of lines that the filter leaves out. */
  filter(isShown: (line: Line) => boolean): void;
  /** Lights one box, or none, and brings it into view on request. */
  light(index: number | undefined, options: { readonly reveal: boolean }): void;
}

export interface PictureViewOptions {
  /** The pointer is on the box of a line, or on none. */
  readonly onPoint: (index: number | undefined) => void;
  /** A box was pressed. */
  readonly onPress: (index: number) => void;
}

/** Boxes are drawn this far from the ink, or their strokes would cover it: a part of a line's height, and pixels on screen. */
const AIR = 0.1;
const MIN_AIR_PX = 2;

/** @param scale pixels on screen for one of the picture */
function around({ left, top, width, height }: Line['location'], scale: number) {
  const air = Math.max(MIN_AIR_PX / scale, Math.min(width, height) * AIR);
  return { x: left - air, y: top - air, width: width + 2 * air, height: height + 2 * air, rx: air };
}

/** Small pictures are shown at most this much enlarged. */
const MAX_ENLARGEMENT = 1.5;
const ZOOM_STEP = 1.5;
const MAX_ZOOM = 12;

/** Space around text that stands for a picture, in its pixels. */
const SHEET_MARGIN = 24;

export function createPictureView({ onPoint, onPress }: PictureViewOptions): PictureView {
  const pane = html('pane');
  const stage = html('stage');
  const image = element('image', HTMLImageElement);
  const boxes = element('boxes', SVGSVGElement);
  const noPreview = html('no-preview');
  let size = { width: 0, height: 0 };
  let lines: readonly Line[] = [];
  let rects: SVGElement[] = [];
  let halos: SVGElement[] = [];
  let zoom = 1;
  // 'loading' until the browser has said whether it can show the picture.
  let preview: 'loading' | 'shown' | 'impossible' = 'loading';

  /** Pixels on screen for one of the picture where all of it is shown. */
  const fittingScale = (): number => {
    const maxHeight = Number.parseFloat(getComputedStyle(pane).maxHeight) || pane.clientHeight;
    return Math.min(pane.clientWidth / size.width, maxHeight / size.height, MAX_ENLARGEMENT);
  };
  const fit = (): void => {
    // Nothing to show yet, or nothing shown.
    if (size.width === 0 || pane.clientWidth === 0) return;
    const scale = fittingScale() * zoom;
    stage.style.width = `${Math.max(1, Math.floor(size.width * scale))}px`;
    stage.style.aspectRatio = `${size.width} / ${size.height}`;
    lines.forEach(({ location }, index) => {
      const place = around(location, scale);
      for (const rect of [rects[index], halos[index]]) if (rect !== undefined) setAttributes(rect, place);
    });
  };
  const setZoom = (next: number): void => {
    zoom = Math.min(Math.max(next, 1), MAX_ZOOM);
    button('zoom-out').disabled = zoom === 1;
    button('zoom-in').disabled = zoom === MAX_ZOOM;
    fit();
  };

  /** The place of a picture that the browser cannot show. */
  const sheetSize = (): typeof size => ({
    width: Math.max(...lines.map(({ location }) => location.left + location.width), 1) + SHEET_MARGIN,
    height: Math.max(...lines.map(({ location }) => location.top + location.height), 1) + SHEET_MARGIN,
  });

  const redraw = (): void => {
    if (preview === 'impossible' && lines.length > 0) size = sheetSize();
    noPreview.hidden = preview !== 'impossible';
    // Nothing to show: neither the picture nor what was read in it.
    html('picture').hidden = preview === 'impossible' && lines.length === 0;
    image.hidden = preview === 'impossible';
    stage.classList.toggle('sheet', preview === 'impossible');
    boxes.setAttribute('viewBox', `0 0 ${size.width || 1} ${size.height || 1}`);
    rects = lines.map(({ score }, index) => svg('rect', { class: `box ${confidenceOf(score)}`, 'data-index': index }));
    halos = lines.map(() => svg('rect', { class: 'halo' }));
    const words = (preview === 'impossible' ? lines : []).map(({ words, location: { left, top, width, height } }) => {
      const text = svg('text', {
        x: left,
        // The base line of Chinese and Latin letters lies a fifth of the height above the lower edge.
        y: top + height * 0.8,
        'font-size': height * 0.85,
        textLength: width,
        lengthAdjust: 'spacingAndGlyphs',
      });
      text.textContent = words;
      return text;
    });
    boxes.replaceChildren(...words, ...halos, ...rects);
    fit();
  };

  image.addEventListener('load', () => {
    preview = 'shown';
    size = { width: image.naturalWidth, height: image.naturalHeight };
    redraw();
  });
  image.addEventListener('error', () => {
    preview = 'impossible';
    redraw();
  });

  const indexAt = (event: Event): number | undefined => {
    const index = event.target instanceof Element ? event.target.getAttribute('data-index') : null;
    return index === null ? undefined : Number(index);
  };
  // Not pointerover: that also comes when a new picture appears under a pointer at rest.
  let pointedAt: number | undefined;
  const point = (index: number | undefined): void => {
    if (index === pointedAt) return;
    pointedAt = index;
    onPoint(index);
  };
  boxes.addEventListener('pointermove', (event) => point(indexAt(event)));
  boxes.addEventListener('pointerleave', () => point(undefined));
  boxes.addEventListener('click', (event) => {
    const index = indexAt(event);
    if (index !== undefined) onPress(index);
  });
  button('zoom-in').addEventListener('click', () => setZoom(zoom * ZOOM_STEP));
  button('zoom-out').addEventListener('click', () => setZoom(zoom / ZOOM_STEP));
  button('zoom-fit').addEventListener('click', () => setZoom(1));
  new ResizeObserver(fit).observe(pane);

  return {
    get size() {
      return size;
    },
    show(address, name) {
      preview = 'loading';
      size = { width: 0, height: 0 };
      lines = [];
      html('picture-name').textContent = name;
      setZoom(1);
      redraw();
      image.referrerPolicy = 'no-referrer';
      image.src = address;
    },
    draw(drawn) {
      lines = drawn;
      redraw();
    },
    filter(isShown) {
      lines.forEach((line, index) => {
        for (const box of [rects[index], halos[index]]) box?.classList.toggle('out', !isShown(line));
      });
    },
    light(index, { reveal }) {
      boxes.classList.toggle('dimmed', index !== undefined);
      rects.forEach((rect, at) => rect.classList.toggle('lit', at === index));
      const line = index === undefined ? undefined : lines[index];
      if (!reveal || line === undefined || zoom === 1) return;
      const scale = stage.clientWidth / size.width;
      const { left, top, width, height } = line.location;
      pane.scrollTo({
        left: (left + width / 2) * scale - pane.clientWidth / 2,
        top: (top + height / 2) * scale - pane.clientHeight / 2,
      });
    },
  };
}
