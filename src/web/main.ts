import type { Answer, Line } from './answer.ts';
import { percent } from './answer.ts';
import { toAcceptedPng } from './convert.ts';
import { button, element, html, input } from './element.ts';
import { save, toCurl, toHocr, toJson, toText, type Call } from './exports.ts';
import { createLineList } from './line-list.ts';
import { callOcr, ENDPOINT, type Failure, type Picture } from './ocr-client.ts';
import { createPictureView } from './picture-view.ts';
import { chooseLanguage, currentLanguage, errorText, say, translatePage } from './texts.ts';

/** A picture, and how `curl` would send it. */
interface Work {
  readonly picture: Picture;
  readonly call: Call;
  readonly name: string;
}

/** Put into the page by the server (page-route.ts). */
const maxSide = Number(document.documentElement.dataset.maxSide);

const KEY_KEPT_AS = 'general-ocr-key';
/** How long a short message stays, in milliseconds: a sentence is read in about two seconds. */
const TOAST_MS = 2500;

let work: Work | undefined;
let answer: Answer | undefined;
let failure: Failure | undefined;
let running: AbortController | undefined;
let pictureAddress = '';
let minScore = 0;
let key = keptKey();

const pictureView = createPictureView({
  onPoint: (index) => light(index, 'picture'),
  onPress: (index) => {
    lineList.focus(index);
    light(index, 'picture');
  },
});
const lineList = createLineList({
  onPoint: (index) => light(index, 'list'),
  onPress: (index) => {
    const line = answer?.lines[index];
    if (line !== undefined) void copy(line.words, say('copiedLine', { words: line.words }));
  },
});

function light(index: number | undefined, from: 'picture' | 'list'): void {
  // Neither may scroll away under the pointer that is on it.
  lineList.light(index, { reveal: from === 'picture' });
  pictureView.light(index, { reveal: from === 'list' });
}

function keptKey(): string {
  try {
    return sessionStorage.getItem(KEY_KEPT_AS) ?? '';
  } catch {
    return '';
  }
}

/** For screen readers: said, not shown. */
function tell(text: string): void {
  html('status').textContent = text;
}

let toastTimer = 0;
function toast(text: string): void {
  tell(text);
  const node = html('toast');
  node.textContent = text;
  node.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => node.classList.remove('shown'), TOAST_MS);
}

/** navigator.clipboard exists on https and localhost only; a server in a local network has neither. */
async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    const area = document.createElement('textarea');
    area.className = 'hidden';
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    toast(copied ? done : say('notCopied'));
  }
}

const shownLines = (): Line[] => (answer?.lines ?? []).filter(({ score }) => score >= minScore);

function setState(state: 'start' | 'working' | 'done' | 'failed'): void {
  document.body.dataset.state = state;
  html('progress').hidden = state !== 'working';
  html('failure').hidden = state !== 'failed';
  html('result').hidden = state === 'start';
  html('panel').hidden = state !== 'done';
}

function showLines(): void {
  if (answer === undefined || work === undefined) return;
  const all = answer.lines.length;
  const shown = shownLines().length;
  const seconds = answer.seconds.toFixed(2);
  html('summary').textContent =
    shown < all
      ? say('summaryFiltered', { shown, all })
      : say(all === 1 ? 'summaryOne' : 'summary', { shown, seconds });
  html('min-shown').textContent = percent(minScore);
  const isShown = ({ score }: Line): boolean => score >= minScore;
  lineList.filter(isShown);
  pictureView.filter(isShown);
  html('empty').hidden = shown > 0;
  html('empty').textContent = say(all === 0 ? 'noText' : 'allFiltered');
  for (const id of ['copy', 'save-text', 'save-json', 'save-hocr']) button(id).disabled = shown === 0;
  html('command').textContent = toCurl(work.call, new URL(ENDPOINT, document.baseURI).href, key !== '');
}

/** Offers what the page itself can do about a refusal; only files can be repaired here. */
function showFailure(): void {
  if (failure === undefined) return;
  html('failure-title').textContent = errorText(failure.code, 'title', failure.retryAfter);
  html('failure-help').textContent = errorText(failure.code, 'help', failure.retryAfter);
  html('failure-message').textContent = failure.message;
  html('failure-id').textContent = [failure.code, failure.requestId].filter(Boolean).join(' · ');
  const asksForKey = failure.code === 'UNAUTHORIZED';
  html('key-form').hidden = !asksForKey;
  const isFile = work?.picture.kind === 'file';
  const repair = button('repair');
  repair.hidden = !(isFile && ['IMAGE_TOO_LARGE', 'UNSUPPORTED_FORMAT'].includes(failure.code));
  repair.textContent = failure.code === 'IMAGE_TOO_LARGE' ? say('shrink', { side: maxSide }) : say('convert');
  button('retry').hidden = asksForKey || !repair.hidden;
}

function showPicture({ picture, name }: Work): void {
  const before = pictureAddress;
  pictureAddress = picture.kind === 'file' ? URL.createObjectURL(picture.file) : picture.url;
  pictureView.show(pictureAddress, name);
  if (before.startsWith('blob:')) URL.revokeObjectURL(before);
}

async function read(next: Work): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  work = next;
  answer = undefined;
  failure = undefined;
  showPicture(next);
  setState('working');

  const bar = element('bar', HTMLProgressElement);
  const text = html('progress-text');
  const startedAt = performance.now();
  let sent = next.picture.kind === 'link' ? 1 : 0;
  const show = (): void => {
    if (sent < 1) {
      bar.value = sent;
      text.textContent = say('uploading', { percent: percent(sent) });
    } else {
      bar.removeAttribute('value');
      text.textContent = say('reading', { seconds: Math.floor((performance.now() - startedAt) / 1000) });
    }
  };
  show();
  const clock = setInterval(show, 250);
  const outcome = await callOcr(next.picture, {
    key,
    signal: controller.signal,
    onUpload: (part) => {
      sent = part;
      show();
    },
  });
  clearInterval(clock);
  // Another picture has taken its place.
  if (running !== controller) return;
  if ('answer' in outcome) {
    answer = outcome.answer;
    pictureView.draw(answer.lines);
    lineList.show(answer.lines);
    setState('done');
    showLines();
    tell(answer.lines.length === 0 ? say('noText') : say('done', { all: answer.lines.length }));
    return;
  }
  if (outcome.failure.code === 'CANCELLED') {
    setState('start');
    toast(say('cancelled'));
    return;
  }
  failure = outcome.failure;
  showFailure();
  setState('failed');
  if (failure.code === 'UNAUTHORIZED') input('key').focus();
}

/** Pasted pictures have no name worth showing. */
const nameOf = (file: File): string => (file.name === '' ? 'picture.png' : file.name);

function readFile(file: File): void {
  const name = nameOf(file);
  void read({ picture: { kind: 'file', file, name }, call: { kind: 'file', name }, name });
}

function readLink(url: string): void {
  void read({ picture: { kind: 'link', url }, call: { kind: 'link', url }, name: url });
}

async function readSample(sample: string): Promise<void> {
  const name = `${sample}.png`;
  const url = new URL(`page/samples/${name}`, document.baseURI).href;
  const file = await (await fetch(url)).blob();
  await read({ picture: { kind: 'file', file, name }, call: { kind: 'sample', url }, name });
}

async function repair(): Promise<void> {
  if (work?.picture.kind !== 'file') return;
  const broken = work;
  const png = await toAcceptedPng(work.picture.file, maxSide);
  if (work !== broken) return;
  if (png === undefined) {
    button('repair').hidden = true;
    html('failure-help').textContent = say('notConverted');
    return;
  }
  const name = `${broken.name.replace(/\.\w+$/, '')}.png`;
  await read({ picture: { kind: 'file', file: png, name }, call: { kind: 'file', name }, name });
}

function sayEverythingAgain(): void {
  const language = currentLanguage();
  button('en').setAttribute('aria-pressed', String(language === 'en'));
  button('zh').setAttribute('aria-pressed', String(language === 'zh'));
  html('limits').textContent = say('limits', { side: maxSide });
  lineList.relabel();
  showLines();
  showFailure();
}

function listen(): void {
  button('choose').addEventListener('click', () => input('file').click());
  input('file').addEventListener('change', () => {
    const file = input('file').files?.[0];
    if (file !== undefined) readFile(file);
    // The same file may be chosen again.
    input('file').value = '';
  });
  html('link-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const url = input('link').value.trim();
    if (url !== '') readLink(url);
    else input('link').focus();
  });
  for (const one of document.querySelectorAll<HTMLButtonElement>('[data-sample]')) {
    one.addEventListener('click', () => void readSample(one.dataset.sample ?? ''));
  }
  document.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file !== undefined) {
      event.preventDefault();
      readFile(file);
    } else if (!(event.target instanceof HTMLInputElement)) {
      const text = event.clipboardData?.getData('text').trim() ?? '';
      if (/^(https?|s3):\/\/\S+$/i.test(text)) readLink(text);
    }
  });

  // dragenter and dragleave come for every element on the way: the depth says whether the pointer has left the page.
  let depth = 0;
  const veil = (): void => void document.body.classList.toggle('dropping', depth > 0);
  document.addEventListener('dragenter', () => {
    depth += 1;
    veil();
  });
  document.addEventListener('dragleave', () => {
    depth -= 1;
    veil();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    veil();
    const file = event.dataTransfer?.files[0];
    const text = event.dataTransfer?.getData('text/uri-list').split(/\r?\n/)[0] ?? '';
    if (file !== undefined) readFile(file);
    else if (text !== '') readLink(text);
  });

  button('cancel').addEventListener('click', () => running?.abort());
  button('retry').addEventListener('click', () => {
    if (work !== undefined) void read(work);
  });
  button('repair').addEventListener('click', () => void repair());
  html('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    key = input('key').value.trim();
    try {
      sessionStorage.setItem(KEY_KEPT_AS, key);
    } catch {
      // Kept until the page is left.
    }
    if (work !== undefined) void read(work);
  });

  input('min').addEventListener('input', () => {
    minScore = Number(input('min').value) / 100;
    showLines();
  });
  button('copy').addEventListener('click', () => void copy(toText(shownLines()), say('copied')));
  button('copy-command').addEventListener('click', () => void copy(html('command').textContent ?? '', say('copied')));
  const stem = (): string => (work?.call.kind === 'link' ? 'picture' : (work?.name ?? 'picture').replace(/\.\w+$/, ''));
  button('save-text').addEventListener('click', () => save(toText(shownLines()), 'text/plain', `${stem()}.txt`));
  button('save-json').addEventListener('click', () => save(toJson(shownLines()), 'application/json', `${stem()}.json`));
  button('save-hocr').addEventListener('click', () =>
    save(toHocr(shownLines(), pictureView.size), 'text/html', `${stem()}.hocr`),
  );

  for (const language of ['en', 'zh'] as const) {
    button(language).addEventListener('click', () => {
      chooseLanguage(language);
      sayEverythingAgain();
    });
  }
}

translatePage();
sayEverythingAgain();
listen();
