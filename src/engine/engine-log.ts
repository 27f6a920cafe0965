import type { Readable } from 'node:stream';

/** What the engine needs of a logger; pino fits. */
export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Characters of one line that are logged, and that are held while its end has not come: a V8 stack fits. */
const MAX_LINE_LENGTH = 2000;

/**
 * Logs what an engine process prints (libraries do, and Node prints its last words there), one entry a line, each cut
 * at 2,000 characters. Nothing longer is kept in memory.
 */
export function logOutput(output: Readable, log: (line: string) => void): void {
  let line = '';
  const flush = (): void => {
    if (line.trim() !== '') log(line);
    line = '';
  };
  output.setEncoding('utf8');
  output.on('data', (text: string) => {
    const [first = '', ...rest] = text.split('\n');
    line += first.slice(0, MAX_LINE_LENGTH - line.length);
    for (const next of rest) {
      flush();
      line = next.slice(0, MAX_LINE_LENGTH);
    }
  });
  output.once('end', flush);
  // A pipe that breaks takes no more than its lines with it: the end of the process is seen elsewhere.
  output.on('error', flush);
}
