import type { PdfFile, Reference } from './pdf-file.ts';

/**
 * `pdf.ttf` of Tesseract (tessdata/pdf.ttf, Apache-2.0, see NOTICE): a TrueType font of 572 bytes with one empty glyph,
 * half as wide as high. Viewers need a font program to place and select text, though nothing of it is ever drawn.
 */
const GLYPHLESS_TTF = [
  'AAEAAAAKAIAAAwAgT1MvMlbeyJQAAAEoAAAAYGNtYXAACgA0AAABkAAAAB5nbHlmFSJBJAAAAbgAAAAYaGVhZAt48WUAAACsAAAANmhoZWEMAgQCAAAA',
  '5AAAACRobXR4BAAAAAAAAYgAAAAIbG9jYQAMAAAAAAGwAAAABm1heHAABAAFAAABCAAAACBuYW1l8usW2gAAAdAAAABLcG9zdAABAAEAAAIcAAAAIAAB',
  'AAAAAQAAsJRxEF8PPPUEBwgAAAAAAM+a/G4AAAAA1MOn8gAAAAAEAAgAAAAAEAACAAAAAAAAAAEAAAgA//8AAAQAAAAAAAQAAAEAAAAAAAAAAAAAAAAA',
  'AAACAAEAAAACAAQAAQAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAwAAAZAABQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUAAQABAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAR09PRwBAAAAAAAAB//8AAAABAAGAAAAAAAAAAAAAAAAAAAABAAAAAAAABAAAAAAAAAIAAQAAAAAAFAADAAAAAAAUAAYACgAAAAAA',
  'AAAAAAAMAAAAAQAAAAAEAAgAAAMAADEhESEEAPwACAAAAAADACoAAAADAAAABQAWAAAAAQAAAAAABQALABYAAwABBAkABQAWAAAAVgBlAHIAcwBpAG8A',
  'bgAgADEALgAwVmVyc2lvbiAxLjAAAAEAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAA=',
].join('');

/** Width of every character, in font sizes. */
export const CHARACTER_WIDTH = 0.5;

/** Entries of one `beginbfchar` block (Adobe Technical Note 5014, section 1.4.1). */
const MAX_BFCHAR = 100;

/** Numbers characters as they come. What a number stands for is written into the file at the end (ToUnicode). */
export class InvisibleFont {
  readonly #cids = new Map<string, number>();

  /** The characters as a PDF string, two bytes each. */
  encode(characters: readonly string[]): string {
    return `<${characters.map((character) => hex(this.#cidOf(character))).join('')}>`;
  }

  #cidOf(character: string): number {
    const known = this.#cids.get(character);
    if (known !== undefined) return known;
    // 0 is "no such character". 65,535 different ones are more than any charset of ours has.
    const cid = this.#cids.size + 1;
    this.#cids.set(character, cid);
    return cid;
  }

  /** Writes the font: a composite one (ISO 32000-1, 9.7) all of whose characters are drawn by the one empty glyph. */
  addTo(file: PdfFile, reference: Reference): void {
    const program = Buffer.from(GLYPHLESS_TTF, 'base64');
    const fontFile = file.addFlateStream(program, `/Length1 ${program.length}`);
    const descriptor = file.add(
      `<< /Type /FontDescriptor /FontName /GlyphLessFont /Flags 5 /FontBBox [0 0 500 1000] /ItalicAngle 0 /Ascent 1000 ` +
        `/Descent -1 /CapHeight 1000 /StemV 80 /FontFile2 ${fontFile} >>`,
    );
    const glyphs = Buffer.alloc(2 * (this.#cids.size + 1));
    for (let cid = 1; cid <= this.#cids.size; cid++) glyphs.writeUInt16BE(1, 2 * cid);
    const descendant = file.add(
      `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /GlyphLessFont /FontDescriptor ${descriptor} ` +
        `/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> ` +
        `/CIDToGIDMap ${file.addFlateStream(glyphs)} /DW ${1000 * CHARACTER_WIDTH} >>`,
    );
    file.add(
      `<< /Type /Font /Subtype /Type0 /BaseFont /GlyphLessFont /Encoding /Identity-H /DescendantFonts [${descendant}] ` +
        `/ToUnicode ${file.addFlateStream(this.#toUnicode())} >>`,
      reference,
    );
  }

  #toUnicode(): string {
    const entries = [...this.#cids].map(([character, cid]) => `<${hex(cid)}> <${utf16Hex(character)}>`);
    const blocks: string[] = [];
    for (let at = 0; at < entries.length; at += MAX_BFCHAR) {
      const block = entries.slice(at, at + MAX_BFCHAR);
      blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar\n`);
    }
    return `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
${blocks.join('')}endcmap
CMapName currentdict /CMap defineresource pop
end
end
`;
  }
}

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');

const utf16Hex = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => hex(text.charCodeAt(i))).join('');
