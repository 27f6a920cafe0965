import type { Config } from './config.ts';
import type { EngineOptions } from './engine/engine.ts';

const MEBIBYTE = 1_048_576;

/** What the settings say about engine processes and their models. How many pages may wait, and who is told, is up to the caller. */
export const engineOptions = (config: Config): Omit<EngineOptions, 'queueLength' | 'log'> => ({
  processes: config.OCR_ENGINE_PROCESSES,
  pageTimeoutMs: config.OCR_PAGE_TIMEOUT_MS,
  memoryLimitBytes: config.OCR_ENGINE_MEMORY_MB * MEBIBYTE,
  modelsDir: config.OCR_MODELS_DIR,
  modelPack: config.OCR_MODEL_PACK,
});
