import type { components } from './api.ts';

type Schemas = components['schemas'];

/** A line as `/general_ocr` answers it: `words`, `location`, `score`. */
export type OcrLine = Schemas['OcrLine'];
/** Everything read from one file. */
export type OcrDocument = Schemas['V1Document'];
/** A page of a document; coordinates are pixels of the upright picture. */
export type OcrPage = Schemas['V1Page'];
/** A line of a page: text, confidence, polygon, box, and its place in the page. */
export type PageLine = Schemas['V1Line'];
export type OcrWord = Schemas['V1Word'];
export type OcrCharacter = Schemas['V1Character'];
/** Version, models and limits of the service. */
export type Info = Schemas['Info'];
/** A rectangle in whole pixels of the upright picture. */
export type Region = Schemas['V1Line']['box'];
/** The body of every answer that is not 2xx. */
export type ErrorBody = Schemas['Error'];
