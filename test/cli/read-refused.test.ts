import path from 'node:path';
import t from 'tap';
import { readSettings } from '../../src/cli/read-command.ts';
import { generalOcr } from './general-ocr.ts';
import { SAMPLE } from './pictures.ts';

const ONE = { OCR_ENGINE_PROCESSES: '1' };

t.test('what cannot begin: wrong use and settings 2, no engine 3, no place for results 4', async (t) => {
  const cwd = t.testdir({
    'a.png': SAMPLE,
    'a.jpg': SAMPLE,
    file: '',
    other: { 'a.png': SAMPLE },
    empty: {},
  });
  const rows: [string[], Record<string, string>, number, RegExp][] = [
    [['a.png', '--overlay'], {}, 2, /--overlay needs --out/],
    [['a.png', '-f', 'json,text'], {}, 2, /Several formats need --out/],
    [['a.png', '-f', 'docx'], {}, 2, /Allowed are text, /],
    [['a.png', '-j', '0'], {}, 2, /whole number from 1 to 256/],
    [['a.png', '--min-score', '2'], {}, 2, /number from 0 to 1/],
    [['-', '-'], {}, 2, /only once/],
    [['a.png', 'a.jpg', '-f', 'tsv'], {}, 2, /one file holds one document/],
    [['a.png', 'other/a.png', '-o', 'out'], {}, 2, /would replace that of a\.png/],
    [['a.png'], { OCR_MAX_SIDE: '1', OCR_MIN_SCORE: 'x' }, 2, /OCR_MAX_SIDE .*\n.*OCR_MIN_SCORE/],
    [
      ['a.png'],
      { ...ONE, OCR_MODELS_DIR: path.join(cwd, 'empty') },
      3,
      /The engine cannot start: [^]*general-ocr doctor/,
    ],
    [['a.png', '-o', 'file/out'], ONE, 4, /file\/out\/a\.txt cannot be written: A part of the path is a file/],
    [['empty'], {}, 1, /^empty: The folder holds no jpg, jpeg, png or bmp file\.\n$/],
    [['*.bmp'], {}, 1, /^\*\.bmp: No file matches the pattern\.\n$/],
    [['a.png'], { OCR_MAX_IMAGE_BYTES: '1024' }, 1, /BODY_TOO_LARGE/],
  ];
  for (const [args, env, expected, message] of rows) {
    const { status, stdout, stderr } = await generalOcr(['read', ...args], { cwd, env });
    t.equal(status, expected, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, message);
  }
});

t.test('settings: those of the service, a longer time for a page, and what the options say', async (t) => {
  t.match(readSettings({}, {}), { OCR_PAGE_TIMEOUT_MS: 120_000, OCR_MIN_SCORE: 0.3 });
  const env = { OCR_PAGE_TIMEOUT_MS: '200', OCR_ENGINE_PROCESSES: '3', OCR_MIN_SCORE: '0.4' };
  const fromEnv = { OCR_PAGE_TIMEOUT_MS: 200, OCR_ENGINE_PROCESSES: 3, OCR_MIN_SCORE: 0.4 };
  t.match(readSettings({}, env), fromEnv);
  t.match(readSettings({ jobs: 5, minScore: 0 }, env), { OCR_ENGINE_PROCESSES: 5, OCR_MIN_SCORE: 0 });
});
