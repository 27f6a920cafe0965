/** A font of a made PDF: Helvetica, which every PDF program carries. */
export interface PdfFont {
  /** What each character code means, where that is not what it looks like. */
  readonly toUnicode?: ReadonlyMap<string, string>;
}

export interface PdfPicture {
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface PdfContents {
  /** Operators of the page's content stream (ISO 32000-1, annex A); fonts are /F0, /F1 ..., pictures /I0, /I1 ... */
  readonly content: string;
  readonly fonts?: readonly PdfFont[];
  readonly pictures?: readonly PdfPicture[];
  /** Further entries of the page's dictionary. */
  readonly page?: string;
}

/** Points: US letter. */
export const PAGE = { width: 612, height: 792 } as const;

/** A PDF of one page, small enough to see what is in it. */
export function makePdf({ content, fonts = [{}], pictures = [], page = '' }: PdfContents): Buffer {
  const objects: Buffer[] = [];
  const add = (body: string | Buffer): number => objects.push(Buffer.from(body));
  const stream = (entries: string, data: Uint8Array): number =>
    add(
      Buffer.concat([
        Buffer.from(`<< ${entries} /Length ${data.length} >>\nstream\n`),
        data,
        Buffer.from('\nendstream'),
      ]),
    );
  const fontRefs = fonts.map(({ toUnicode }, i) => {
    const map = toUnicode === undefined ? '' : `/ToUnicode ${stream('', Buffer.from(toCMap(toUnicode)))} 0 R`;
    const font = add(`<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding ${map} >>`);
    return `/F${i} ${font} 0 R`;
  });
  const pictureRefs = pictures.map(({ jpeg, width, height }, i) => {
    const space = '/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode';
    const entries = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} ${space}`;
    return `/I${i} ${stream(entries, jpeg)} 0 R`;
  });
  const contents = stream('', Buffer.from(content, 'latin1'));
  const resources = `<< /Font << ${fontRefs.join(' ')} >> /XObject << ${pictureRefs.join(' ')} >> >>`;
  const pages = objects.length + 2;
  const box = `/MediaBox [0 0 ${PAGE.width} ${PAGE.height}]`;
  const leaf = add(
    `<< /Type /Page /Parent ${pages} 0 R ${box} /Resources ${resources} /Contents ${contents} 0 R ${page} >>`,
  );
  add(`<< /Type /Pages /Kids [${leaf} 0 R] /Count 1 >>`);
  const root = add(`<< /Type /Catalog /Pages ${pages} 0 R >>`);
  return assemble(objects, root);
}

function assemble(objects: readonly Buffer[], root: number): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  objects.forEach((body, i) => {
    offsets.push(length);
    push(Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]));
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  const trailer = `trailer\n<< /Size ${size} /Root ${root} 0 R >>\nstartxref\n${length}\n%%EOF\n`;
  push(Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${table}${trailer}`));
  return Buffer.concat(parts);
}

/** A ToUnicode map (ISO 32000-1, 9.10.3) for one-byte codes. */
function toCMap(map: ReadonlyMap<string, string>): string {
  const hex = (text: string, bytes: number): string => (text.codePointAt(0) ?? 0).toString(16).padStart(2 * bytes, '0');
  const lines = [...map].map(([code, meaning]) => `<${hex(code, 1)}> <${hex(meaning, 2)}>`);
  const chunks: string[] = [];
  // No more than 100 in one go.
  for (let i = 0; i < lines.length; i += 100) {
    const chunk = lines.slice(i, i + 100);
    chunks.push(`${chunk.length} beginbfchar\n${chunk.join('\n')}\nendbfchar`);
  }
  return `/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Test def\n/CMapType 2 def
1 begincodespacerange\n<00> <ff>\nendcodespacerange\n${chunks.join('\n')}\nendcmap\nend\nend`;
}

/** Operators for a line of text, its base line `x` from the left and `y` from the top in points. */
export function textAt(text: string, x: number, y: number, { size = 12, font = 0, before = '' } = {}): string {
  const escaped = text.replaceAll(/[\\()]/g, String.raw`\$&`);
  return `q BT ${before} /F${font} ${size} Tf 1 0 0 1 ${x} ${PAGE.height - y} Tm (${escaped}) Tj ET Q\n`;
}
