import type { Config } from './config.ts';
import type { ImageLoaderOptions } from './source/load-image.ts';

/** What the settings say about fetching pictures: for the service, and for the check of its settings. */
export const imageLoaderOptions = (config: Config): ImageLoaderOptions => ({
  maxBytes: config.OCR_MAX_IMAGE_BYTES,
  fetchTimeoutMs: config.OCR_FETCH_TIMEOUT_MS,
  allow: config.OCR_SOURCE_ALLOW,
  urlPorts: config.OCR_URL_PORTS,
  s3: {
    buckets: config.OCR_S3_BUCKETS,
    endpoint: config.OCR_S3_ENDPOINT,
    forcePathStyle: config.OCR_S3_FORCE_PATH_STYLE,
    region: config.OCR_S3_REGION,
  },
});
