import type { Line } from './answer.ts';

/** One line of text for each line read, in reading order. */
export const toText = (lines: readonly Line[]): string => lines.map(({ words }) => `${words}\n`).join('');

/** The form of the API's answer, one line of the file for each line read. */
export const toJson = (lines: readonly Line[]): string =>
  lines.length === 0 ? '[]\n' : `[${lines.map((line) => JSON.stringify(line)).join(',\n ')}]\n`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * hOCR 1.2 with a line for each line read, without words: those, and paragraphs, are in `POST /v1/ocr?format=hocr`.
 *
 * @param size of the picture in pixels
 */
export function toHocr(lines: readonly Line[], size: { readonly width: number; readonly height: number }): string {
  const spans = lines.map(({ words, score, location: { left, top, width, height } }, i) => {
    const title = `bbox ${left} ${top} ${left + width} ${top + height}; x_wconf ${Math.floor(score * 100)}`;
    const text = words.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
    return `   <span class="ocr_line" id="line_1_${i + 1}" title="${title}">${text}</span>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh" lang="zh">
 <head>
  <title></title>
  <meta http-equiv="Content-Type" content="text/html;charset=utf-8" />
  <meta name="ocr-system" content="general-ocr" />
  <meta name="ocr-capabilities" content="ocr_page ocr_line" />
 </head>
 <body>
  <div class="ocr_page" id="page_1" title="bbox 0 0 ${size.width} ${size.height}; ppageno 0">
${spans.join('')}  </div>
 </body>
</html>
`;
}

/** One word of a POSIX shell. */
export const shellQuote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** How `curl` sends what the page has sent. */
export type Call =
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'sample'; readonly url: string }
  | { readonly kind: 'link'; readonly url: string };

/** A file name in curl's `-F`, where `;` and `,` end a bare one. */
const formFile = (name: string): string =>
  /^[\w.-]+$/.test(name) ? `img=@${name}` : `img=@"${name.replace(/["\\]/g, '\\$&')}"`;

/**
 * The same call as a command line.
 *
 * @param endpoint absolute address of `/general_ocr`
 * @param withKey whether a key is needed; it is not written out
 */
export function toCurl(call: Call, endpoint: string, withKey: boolean): string {
  const key = withKey ? ` -H 'x-api-key: YOUR_KEY'` : '';
  const post = `curl -s ${shellQuote(endpoint)}${key}`;
  switch (call.kind) {
    case 'file':
      return `${post} -F ${shellQuote(formFile(call.name))}`;
    case 'sample':
      return `curl -s ${shellQuote(call.url)} | ${post} -F img=@-`;
    case 'link':
      return `${post} -H 'content-type: application/json' -d ${shellQuote(JSON.stringify({ url: call.url }))}`;
  }
}

/** Lets the browser save a text as a file. */
export function save(text: string, type: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  // After the click has been handled, or the browser finds nothing to save.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
