import type { Orientation, ReadOptions, Region, TextLayerUse } from '../ocr/page.ts';
import { FORMAT_TRAITS, type Format } from './render-document.ts';

/** What somebody asked for that changes how pages are read. */
export interface AskedReading {
  readonly format: Format;
  readonly words: boolean;
  readonly characters: boolean;
  readonly orientation: Orientation;
  readonly textLayer: TextLayerUse;
  readonly region?: Region | undefined;
}

/** How pages have to be read so that the document can be written as it was asked for. */
export function readChoices(asked: AskedReading): Omit<ReadOptions, 'maxSide' | 'page'> {
  const { needsCharacters, needsPicture } = FORMAT_TRAITS[asked.format];
  return {
    orientation: asked.orientation,
    textLayer: asked.textLayer,
    characters: asked.words || asked.characters || needsCharacters,
    picture: needsPicture,
    ...(asked.region === undefined ? {} : { region: asked.region }),
  };
}
