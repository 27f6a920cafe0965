import { confidenceOf, FROM_SCORE, percent, type Confidence, type Line } from './answer.ts';
import { html } from './element.ts';
import { say } from './texts.ts';

/** The lines in reading order, as buttons: Tab reaches the list, the arrow keys go through it. */
export interface LineList {
  show(lines: readonly Line[]): void;
  /** Says everything again, in another language. */
  relabel(): void;
  filter(isShown: (line: Line) => boolean): void;
  /** Lights one line, or none. */
  light(index: number | undefined, options: { readonly reveal: boolean }): void;
  focus(index: number): void;
}

export interface LineListOptions {
  /** The pointer or the focus is on a line, or on none. */
  readonly onPoint: (index: number | undefined) => void;
  readonly onPress: (index: number) => void;
}

const LEVELS: readonly Confidence[] = ['high', 'medium', 'low'];

export function createLineList({ onPoint, onPress }: LineListOptions): LineList {
  const list = html('lines');
  const legend = html('legend');
  let lines: readonly Line[] = [];
  let buttons: HTMLButtonElement[] = [];

  const relabel = (): void => {
    for (const one of buttons) {
      one.title = say('pressToCopy');
      const label = one.querySelector('.hidden');
      if (label) label.textContent = `${say('confidence')} `;
    }
    const values = { high: FROM_SCORE.high, medium: FROM_SCORE.medium, low: FROM_SCORE.low };
    legend.replaceChildren(
      ...LEVELS.map((level) => {
        const item = document.createElement('li');
        item.className = level;
        const count = document.createElement('b');
        count.textContent = String(lines.filter(({ score }) => confidenceOf(score) === level).length);
        const text = say(level, { from: percent(values[level]), below: percent(FROM_SCORE.medium) });
        item.append(count, ` ${text}`);
        return item;
      }),
    );
  };

  /** One line only is a stop of the Tab key: hundreds would be a wall. */
  const makeStop = (index: number): void => buttons.forEach((one, at) => (one.tabIndex = at === index ? 0 : -1));

  const visible = (): HTMLButtonElement[] => buttons.filter((one) => one.parentElement?.hidden === false);

  const step = (event: KeyboardEvent): void => {
    const shown = visible();
    const at = shown.findIndex((one) => one === document.activeElement);
    const target = {
      ArrowDown: shown[Math.min(at + 1, shown.length - 1)],
      ArrowUp: shown[Math.max(at - 1, 0)],
      Home: shown[0],
      End: shown.at(-1),
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    target.focus();
  };

  const indexOf = (event: Event): number =>
    buttons.findIndex((one) => event.target instanceof Node && one.contains(event.target));
  const orNone = (index: number): number | undefined => (index < 0 ? undefined : index);

  list.addEventListener('keydown', step);
  list.addEventListener('pointerover', (event) => onPoint(orNone(indexOf(event))));
  list.addEventListener('pointerleave', () =>
    onPoint(orNone(buttons.findIndex((one) => one === document.activeElement))),
  );
  list.addEventListener('focusin', (event) => {
    const index = indexOf(event);
    makeStop(index);
    onPoint(orNone(index));
  });
  list.addEventListener('focusout', () => onPoint(undefined));
  list.addEventListener('click', (event) => {
    const index = indexOf(event);
    if (index >= 0) onPress(index);
  });

  return {
    show(shown) {
      lines = shown;
      const items = lines.map(({ words, score }) => {
        const item = document.createElement('li');
        const one = document.createElement('button');
        one.type = 'button';
        one.className = `line ${confidenceOf(score)}`;
        const text = document.createElement('span');
        text.className = 'words';
        text.textContent = words;
        const sure = document.createElement('span');
        sure.className = 'score';
        sure.textContent = percent(score);
        // Said between the text and the number.
        const label = document.createElement('span');
        label.className = 'hidden';
        one.append(text, label, sure);
        item.append(one);
        return item;
      });
      list.replaceChildren(...items);
      list.scrollTop = 0;
      buttons = [...list.querySelectorAll('button')];
      makeStop(0);
      relabel();
    },
    relabel,
    filter(isShown) {
      lines.forEach((line, index) => {
        const item = buttons[index]?.parentElement;
        if (item) item.hidden = !isShown(line);
      });
      // The stop of the Tab key must not be a line that is hidden.
      const [first] = visible();
      if (first !== undefined && !visible().some((one) => one.tabIndex === 0)) makeStop(buttons.indexOf(first));
    },
    light(index, { reveal }) {
      buttons.forEach((one, at) => one.classList.toggle('lit', at === index));
      const one = index === undefined ? undefined : buttons[index];
      if (!reveal || one === undefined) return;
      // Not scrollIntoView(): that would move the page away under the pointer.
      const above = one.offsetTop - list.scrollTop;
      const below = above + one.offsetHeight - list.clientHeight;
      if (above < 0) list.scrollTop += above;
      else if (below > 0) list.scrollTop += below;
    },
    focus: (index) => buttons[index]?.focus({ preventScroll: true }),
  };
}
