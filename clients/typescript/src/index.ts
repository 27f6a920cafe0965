export {
  GeneralOcr,
  type CallOptions,
  type DocumentOptions,
  type FileFormat,
  type GeneralOcrOptions,
} from './general-ocr.ts';
export { NoAnswerError, OcrError, ServiceError, type ErrorCode } from './errors.ts';
export type { Picture } from './picture-form.ts';
export type { Info, OcrCharacter, OcrDocument, OcrLine, OcrPage, OcrWord, PageLine, Region } from './answers.ts';
