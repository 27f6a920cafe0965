/** Everything the page says, in English and Chinese. `{…}` is filled in by `say`. */
const EN = {
  tagline: 'Reads Chinese and Latin text in pictures, on this server.',
  navigation: 'Page',
  language: 'Language',
  docs: 'API',
  source: 'Choose a picture',
  drop: 'Drop a picture here, or paste one',
  touch: 'Read the text in a picture',
  dropNow: 'Drop it to read it',
  limits: 'jpg, png or bmp, longest side up to {side} px. It goes to this server and nowhere else.',
  choose: 'Choose a picture',
  link: 'Or give a link:',
  read: 'Read',
  samples: 'Samples',
  trySample: 'Or try one:',
  sampleCard: 'Card',
  sampleReceipt: 'Receipt',
  samplePage: 'Page',
  sampleSign: 'Sign',
  progress: 'Progress',
  uploading: 'Sending the picture: {percent}',
  reading: 'Reading… {seconds} s',
  cancel: 'Cancel',
  cancelled: 'Cancelled.',
  picture: 'Picture',
  pane: 'Picture with the lines read',
  noPreview: 'Your browser cannot show this picture; the text stands where it was read.',
  zoom: 'Zoom',
  zoomOut: 'Smaller',
  zoomIn: 'Larger',
  zoomFit: 'Fit',
  lines: 'Lines',
  summary: '{shown} lines in {seconds} s',
  summaryOne: '1 line in {seconds} s',
  summaryFiltered: '{shown} of {all} lines',
  done: 'Done: {all} lines read. They follow in reading order.',
  copy: 'Copy all text',
  copied: 'Copied.',
  copiedLine: 'Copied: {words}',
  notCopied: 'The browser did not allow copying. Save the text file instead.',
  filter: 'Lowest confidence',
  high: 'sure, from {from}',
  medium: 'likely, from {from}',
  low: 'doubtful, below {below}',
  confidence: ', confidence',
  pressToCopy: 'Press to copy',
  noText: 'No text was found in this picture.',
  allFiltered: 'No line is this certain. Lower the confidence to see more.',
  saveText: 'Text file',
  saveJson: 'JSON file',
  curl: 'The same call with curl',
  copyCommand: 'Copy',
  key: 'API key',
  useKey: 'Use this key',
  retry: 'Try again',
  shrink: 'Shrink to {side} px and read',
  convert: 'Convert to PNG and read',
  notConverted: 'This browser cannot open the file either. Save it as jpg or png with another program.',
  'INVALID_REQUEST:title': 'The server did not understand the request',
  'INVALID_REQUEST:help': 'A link has to start with http://, https:// or s3://bucket/.',
  'UNSUPPORTED_FORMAT:title': 'This kind of file is not read',
  'UNSUPPORTED_FORMAT:help': 'Send a jpg, png or bmp. Most other pictures can be converted right here.',
  'INVALID_IMAGE:title': 'The picture is damaged',
  'INVALID_IMAGE:help': 'Open it in a picture viewer and save it again, or send another copy.',
  'IMAGE_TOO_LARGE:title': 'The picture has too many pixels',
  'IMAGE_TOO_LARGE:help': 'It can be shrunk right here. For small print, cut it into parts instead.',
  'SOURCE_NOT_ALLOWED:title': 'The server may not fetch from this address',
  'SOURCE_NOT_ALLOWED:help': 'Save the picture and choose the file, or use a public address.',
  'SOURCE_UNAVAILABLE:title': 'The picture at this address cannot be fetched',
  'SOURCE_UNAVAILABLE:help': 'Check that the address opens the picture itself without a login, or choose the file.',
  'UNAUTHORIZED:title': 'This server asks for a key',
  'UNAUTHORIZED:help': 'Enter the API key that you got from the operator. It is kept until you close this tab.',
  'BODY_TOO_LARGE:title': 'The file is too large',
  'BODY_TOO_LARGE:help': 'Send it as jpg, or with fewer pixels.',
  'OVERLOADED:title': 'The server is busy',
  'OVERLOADED:help': 'All its places are taken. Try again in a few seconds.',
  'RATE_LIMITED:title': 'Too many requests',
  'RATE_LIMITED:help': 'You have used up this minute. Try again in {seconds} s.',
  'UNAVAILABLE:title': 'The server is starting or shutting down',
  'UNAVAILABLE:help': 'Try again in a few seconds.',
  'ENGINE_CRASHED:title': 'The server failed on this picture',
  'ENGINE_CRASHED:help': 'Save it with another program, or smaller. If others fail as well, tell the operator.',
  'DEADLINE_EXCEEDED:title': 'It took too long',
  'DEADLINE_EXCEEDED:help': 'Try again when the server is less busy, or send a smaller picture.',
  'NETWORK:title': 'The server does not answer',
  'NETWORK:help': 'Check the connection and that the server runs, then try again.',
  'INTERNAL:title': 'Something went wrong in the server',
  'INTERNAL:help': 'It is not your picture. Give the operator the number below.',
} as const;

export type TextKey = keyof typeof EN;

const ZH: Readonly<Record<TextKey, string>> = {
  tagline: '识别图片中的中文和拉丁文字，就在这台服务器上完成。',
  navigation: '页面',
  language: '语言',
  docs: '接口',
  source: '选择图片',
  drop: '把图片拖到这里，或直接粘贴',
  touch: '识别图片里的文字',
  dropNow: '松开即可识别',
  limits: '支持 jpg、png、bmp，最长边不超过 {side} 像素。图片只会发送到这台服务器。',
  choose: '选择图片',
  link: '或填写地址：',
  read: '识别',
  samples: '样例',
  trySample: '或试试样例：',
  sampleCard: '证件',
  sampleReceipt: '小票',
  samplePage: '文档',
  sampleSign: '招牌',
  progress: '进度',
  uploading: '正在上传：{percent}',
  reading: '正在识别… {seconds} 秒',
  cancel: '取消',
  cancelled: '已取消。',
  picture: '图片',
  pane: '图片和识别出的文字行',
  noPreview: '浏览器无法显示这张图片；文字显示在识别到的位置上。',
  zoom: '缩放',
  zoomOut: '缩小',
  zoomIn: '放大',
  zoomFit: '适合',
  lines: '文字行',
  summary: '{shown} 行，用时 {seconds} 秒',
  summaryOne: '1 行，用时 {seconds} 秒',
  summaryFiltered: '{shown} / {all} 行',
  done: '完成：识别出 {all} 行，按阅读顺序列出。',
  copy: '复制全部文字',
  copied: '已复制。',
  copiedLine: '已复制：{words}',
  notCopied: '浏览器不允许复制，请改为保存文本文件。',
  filter: '最低置信度',
  high: '可靠，{from} 以上',
  medium: '较可靠，{from} 以上',
  low: '存疑，低于 {below}',
  confidence: '，置信度',
  pressToCopy: '按下可复制',
  noText: '这张图片中没有发现文字。',
  allFiltered: '没有达到该置信度的行，请调低置信度。',
  saveText: '文本文件',
  saveJson: 'JSON 文件',
  curl: '用 curl 发出同样的请求',
  copyCommand: '复制',
  key: 'API 密钥',
  useKey: '使用此密钥',
  retry: '重试',
  shrink: '缩小到 {side} 像素再识别',
  convert: '转换为 PNG 再识别',
  notConverted: '浏览器也打不开这个文件。请用其他程序另存为 jpg 或 png。',
  'INVALID_REQUEST:title': '服务器无法理解这个请求',
  'INVALID_REQUEST:help': '地址必须以 http://、https:// 或 s3://bucket/ 开头。',
  'UNSUPPORTED_FORMAT:title': '不支持这种文件',
  'UNSUPPORTED_FORMAT:help': '请发送 jpg、png 或 bmp。多数其他图片可以在这里直接转换。',
  'INVALID_IMAGE:title': '图片已损坏',
  'INVALID_IMAGE:help': '请用看图软件打开并重新保存，或换一份。',
  'IMAGE_TOO_LARGE:title': '图片像素太多',
  'IMAGE_TOO_LARGE:help': '可以在这里直接缩小。如果字很小，请改为裁成几块。',
  'SOURCE_NOT_ALLOWED:title': '服务器不允许访问这个地址',
  'SOURCE_NOT_ALLOWED:help': '请把图片保存下来再选择文件，或使用公网地址。',
  'SOURCE_UNAVAILABLE:title': '无法获取该地址的图片',
  'SOURCE_UNAVAILABLE:help': '请确认该地址无需登录即可打开图片本身，或改为选择文件。',
  'UNAUTHORIZED:title': '这台服务器需要密钥',
  'UNAUTHORIZED:help': '请输入管理员给你的 API 密钥。关闭此标签页之前会一直保留。',
  'BODY_TOO_LARGE:title': '文件太大',
  'BODY_TOO_LARGE:help': '请改用 jpg，或减少像素。',
  'OVERLOADED:title': '服务器正忙',
  'OVERLOADED:help': '所有位置都已占用，请几秒后重试。',
  'RATE_LIMITED:title': '请求太频繁',
  'RATE_LIMITED:help': '这一分钟的次数已用完，请 {seconds} 秒后重试。',
  'UNAVAILABLE:title': '服务器正在启动或关闭',
  'UNAVAILABLE:help': '请几秒后重试。',
  'ENGINE_CRASHED:title': '服务器处理这张图片时出错',
  'ENGINE_CRASHED:help': '请用其他程序另存，或缩小后重试。如果其他图片也失败，请告知管理员。',
  'DEADLINE_EXCEEDED:title': '处理时间过长',
  'DEADLINE_EXCEEDED:help': '请在服务器空闲时重试，或发送较小的图片。',
  'NETWORK:title': '服务器没有响应',
  'NETWORK:help': '请检查网络连接和服务器是否在运行，然后重试。',
  'INTERNAL:title': '服务器内部出错',
  'INTERNAL:help': '不是图片的问题。请把下面的编号告诉管理员。',
};

export type Language = 'en' | 'zh';

const TEXTS: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { en: EN, zh: ZH };

const KEPT_AS = 'general-ocr-language';

/** The one chosen before, or the browser's. Storage may be switched off. */
function firstLanguage(): Language {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (kept === 'en' || kept === 'zh') return kept;
  } catch {
    // Not kept, then.
  }
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let language = firstLanguage();

export const currentLanguage = (): Language => language;

/** The text of this key in the current language. */
export function say(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const isKey = (key: string): key is TextKey => key in EN;

/** Title and advice for an error code; codes without their own text are a fault of the server. */
export function errorText(code: string, part: 'title' | 'help', seconds: number): string {
  const key = `${code}:${part}`;
  return say(isKey(key) ? key : `INTERNAL:${part}`, { seconds });
}

/** Puts the texts of the current language into everything in the page that names one. */
export function translatePage(): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const node of document.querySelectorAll<HTMLElement>('[data-t]')) {
    const key = node.dataset.t ?? '';
    if (isKey(key)) node.textContent = say(key);
  }
  for (const node of document.querySelectorAll<HTMLElement>('[data-t-label]')) {
    const key = node.dataset.tLabel ?? '';
    if (isKey(key)) node.setAttribute('aria-label', say(key));
  }
}

export function chooseLanguage(chosen: Language): void {
  language = chosen;
  try {
    localStorage.setItem(KEPT_AS, chosen);
  } catch {
    // It holds for this visit only.
  }
  translatePage();
}
