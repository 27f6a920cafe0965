/** A fenced code block of a Markdown document. */
export interface FencedBlock {
  /** `sh`, `json`, …; empty without one. */
  readonly language: string;
  /** Without the fences. */
  readonly text: string;
  /** Number of the line with the opening fence, from 1. */
  readonly line: number;
  /** Number of the line with the closing fence. */
  readonly lastLine: number;
  /** Whether `<!-- the answer -->` stands before it: it is what the shell block before it prints. */
  readonly isAnswer: boolean;
}

/** Indented ones stand in lists. */
const FENCE = /^\s*```/;
export const ANSWER_MARK = '<!-- the answer -->';

/** The fenced blocks of a document, in order. A fence that is never closed is a fault of the document and throws. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const lines = markdown.split('\n');
  const blocks: FencedBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (!FENCE.test(lines[i])) continue;
    const end = lines.findIndex((line, j) => j > i && FENCE.test(line));
    if (end === -1) throw new Error(`The code block in line ${i + 1} does not end`);
    const before = lines.slice(0, i).findLast((line) => line.trim() !== '');
    blocks.push({
      language: lines[i].trim().slice(3).trim(),
      text: lines.slice(i + 1, end).join('\n'),
      line: i + 1,
      lastLine: end + 1,
      isAnswer: before?.trim() === ANSWER_MARK,
    });
    i = end;
  }
  return blocks;
}

/** The commands of a shell block: lines, with those that end in a backslash joined to the next; without comment lines. */
export function commandsOf(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const PROGRAM =
  /^(?:[A-Z_]+=\S+ )*(?:bash|cat|cosign|curl|docker|general-ocr|git|helm|kubectl|node|npm|npx|pip|systemctl) [^`]+$/;

/** Commands that the text names in `backticks`, outside of fenced blocks. */
export function mentionedCommands(markdown: string): string[] {
  const blocks = fencedBlocks(markdown);
  const inBlock = (line: number): boolean => blocks.some((block) => block.line <= line && line <= block.lastLine);
  const prose = markdown.split('\n').filter((_, i) => !inBlock(i + 1));
  return [...prose.join('\n').matchAll(/`([^`]+)`/g)]
    .map(([, span]) => span.replace(/\s+/g, ' '))
    .filter((s) => PROGRAM.test(s));
}

/** Processors differ in the last bits of float sums, which may move a border by a pixel and its neighbour by another. */
const MAX_PIXELS = 2;
/** The same for scores and confidences, which are shown with three decimals and more. */
const MAX_SCORE = 0.03;
const NUMBER = /^-?\d+(\.\d+)?$/;
const SCORE = /\.\d{3}/;

const tokensOf = (text: string): string[] => [...text.matchAll(/-?\d+(?:\.\d+)?|\S/g)].map(([token]) => token);

function alike(expected: string, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  if (!NUMBER.test(expected) || !NUMBER.test(actual)) return expected === actual;
  return Math.abs(Number(expected) - Number(actual)) <= (SCORE.test(expected) ? MAX_SCORE : MAX_PIXELS);
}

/**
 * Where the text that a document shows is not what was printed, in words; undefined if it is. White space does not count,
 * pixels may be 2 off, scores 0.03, and `…` stands for anything, also nothing.
 */
export function differs(shown: string, printed: string): string | undefined {
  const actual = tokensOf(printed);
  const pieces = shown.split('…').map(tokensOf);
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    const fitsAt = (start: number): boolean => piece.every((token, k) => alike(token, actual[start + k]));
    // The last piece ends where the text ends; the first one begins where it begins; the others are wherever they come next.
    const starts = i === 0 ? [0] : Array.from({ length: Math.max(actual.length - at + 1, 0) }, (_, k) => at + k);
    const start = starts.find((s) => fitsAt(s) && (i < pieces.length - 1 || s + piece.length === actual.length));
    if (start === undefined)
      return `"${piece.join('').slice(0, 80)}" is not next in "${actual.slice(at, at + 80).join('')}"`;
    at = start + piece.length;
  }
  return undefined;
}
