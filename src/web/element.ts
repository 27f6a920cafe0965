type Kind<T extends Element> = abstract new (...args: never) => T;

/**
 * The element of index.html with this id.
 *
 * @throws {Error} if there is none of this kind: the page and its program do not fit
 */
export function element<T extends Element>(id: string, kind: Kind<T>): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

export const button = (id: string): HTMLButtonElement => element(id, HTMLButtonElement);
export const input = (id: string): HTMLInputElement => element(id, HTMLInputElement);
export const html = (id: string): HTMLElement => element(id, HTMLElement);

const SVG = 'http://www.w3.org/2000/svg';

/** A new SVG element with these attributes. */
export function svg(name: 'rect' | 'text', attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  setAttributes(made, attributes);
  return made;
}

export function setAttributes(node: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
}
