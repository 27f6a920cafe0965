#!/usr/bin/env node
// The command of the package and of the image. Plain JavaScript that old versions of Node can parse, so that they get a
// sentence instead of a syntax error.
import { existsSync } from 'node:fs';

const NEEDED = 24;

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error('general-ocr needs Node ' + NEEDED + ' or later; this is ' + process.version + '.');
  process.exit(2);
}
// A checkout has the sources, which Node runs as they are; the package and the image have only what was built.
const source = new URL('../src/cli.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/cli.js', import.meta.url).href);
