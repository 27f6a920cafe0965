import type { Quad } from '../ocr/page.ts';
import type { DocumentLine, DocumentPage, DocumentWord, OcrDocument } from './document.ts';
import { unionBox, type PixelBox } from './pixel-box.ts';
import { SOFTWARE } from './software.ts';
import { groupBy } from './text.ts';
import { escapeXml } from './xml.ts';

export interface AltoOptions {
  /** Whether every character gets an element (`Glyph`) of its own. */
  readonly characters: boolean;
}

/**
 * ALTO 4 (Library of Congress): a `ComposedBlock` for each block, a `TextBlock` for each paragraph. It uses nothing that
 * came after 4.2, so that readers of any version 4 take it.
 */
export function toAlto(document: OcrDocument, { characters }: AltoOptions): string {
  const model =
    document.model === undefined
      ? ''
      : `\n   <processingStepSettings>${escapeXml(`model ${document.model.name} ${document.model.version}`)}</processingStepSettings>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-2.xsd" SCHEMAVERSION="4.2">
 <Description>
  <MeasurementUnit>pixel</MeasurementUnit>
  <Processing ID="processing_1">
   <processingCategory>contentGeneration</processingCategory>${model}
   <processingSoftware>
    <softwareName>${escapeXml(SOFTWARE.name)}</softwareName>
    <softwareVersion>${escapeXml(SOFTWARE.version)}</softwareVersion>
   </processingSoftware>
  </Processing>
 </Description>
 <Layout>
${document.pages.map((page) => pageAlto(page, characters)).join('')} </Layout>
</alto>
`;
}

const place = ({ left, top, width, height }: PixelBox): string =>
  `HPOS="${left}" VPOS="${top}" WIDTH="${width}" HEIGHT="${height}"`;

const shape = (quad: Quad): string =>
  `<Shape><Polygon POINTS="${quad.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ')}"/></Shape>`;

const round = (value: number): number => Math.round(value * 10) / 10 + 0;

function pageAlto(page: DocumentPage, characters: boolean): string {
  const { number, width, height } = page;
  const whole: PixelBox = { left: 0, top: 0, width, height };
  const blocks = groupBy(page.lines, ({ block }) => block).map((lines) => blockAlto(lines, number, characters));
  return `  <Page ID="page_${number}" PHYSICAL_IMG_NR="${number}" WIDTH="${width}" HEIGHT="${height}">
   <PrintSpace ${place(whole)}>
${blocks.join('')}   </PrintSpace>
  </Page>
`;
}

function blockAlto(lines: readonly DocumentLine[], page: number, characters: boolean): string {
  const id = `block_${page}_${lines[0].block}`;
  const paragraphs = groupBy(lines, ({ paragraph }) => paragraph).map((inside) => {
    const suffix = `${page}_${inside[0].paragraph}`;
    const content = inside.map((line, i) => lineAlto(line, `${suffix}_${i + 1}`, characters)).join('');
    const box = place(unionBox(inside.map((line) => line.box)));
    return `     <TextBlock ID="par_${suffix}" ${box}${rotation(inside)}>\n${content}     </TextBlock>\n`;
  });
  const box = place(unionBox(lines.map((line) => line.box)));
  return `    <ComposedBlock ID="${id}" ${box}>\n${paragraphs.join('')}    </ComposedBlock>\n`;
}

/** Degrees counter-clockwise, where all lines of the block agree. */
function rotation(lines: readonly DocumentLine[]): string {
  const { orientation } = lines[0];
  const same = lines.every((line) => line.orientation === orientation);
  return same && orientation !== 0 ? ` ROTATION="${360 - orientation}"` : '';
}

function lineAlto(line: DocumentLine, id: string, characters: boolean): string {
  const parts = line.words.map((word, i) => wordAlto(word, line.words[i + 1], `${id}_${i + 1}`, characters));
  return `      <TextLine ID="line_${id}" ${place(line.box)}>\n       ${shape(line.quad)}\n${parts.join('')}      </TextLine>\n`;
}

function wordAlto(word: DocumentWord, next: DocumentWord | undefined, id: string, characters: boolean): string {
  const { box, confidence, text, spaceAfter } = word;
  const attributes = `ID="word_${id}" ${place(box)} WC="${confidence.toFixed(4)}" CONTENT="${escapeXml(text)}"`;
  const glyphs = characters ? word.characters.map(glyphAlto).join('') : '';
  const string =
    glyphs === '' ? `       <String ${attributes}/>\n` : `       <String ${attributes}>\n${glyphs}       </String>\n`;
  return spaceAfter && next !== undefined ? `${string}       <SP/>\n` : string;
}

function glyphAlto({ text, confidence, quad }: DocumentWord['characters'][number]): string {
  return `        <Glyph CONTENT="${escapeXml(text)}" GC="${confidence.toFixed(4)}">${shape(quad)}</Glyph>\n`;
}
