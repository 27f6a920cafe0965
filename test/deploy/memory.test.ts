import { readFileSync } from 'node:fs';
import t from 'tap';
import { SERVER_NODE_OPTIONS } from '../running-service.ts';

const textOf = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

t.test(
  'image and systemd unit start the server process with the options that the robustness scripts measure',
  async (t) => {
    for (const file of ['docker/Dockerfile', 'deploy/systemd/general-ocr.service']) {
      t.match(textOf(file), `NODE_OPTIONS=${SERVER_NODE_OPTIONS}\n`, file);
    }
  },
);
