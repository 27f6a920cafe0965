import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueFigures } from './jobs/job-store.ts';

/** The figures of one scrape serve every instrument of it. */
const SCRAPE_MS = 1000;

/**
 * The instruments of the job queue. They show what Redis counts, whoever is asked: every server shows the same, so that
 * dashboards take the greatest and not the sum. While Redis does not answer only `general_ocr_jobs_queue_up` is there.
 *
 * @param figures of the queue; may reject
 */
export function registerJobMetrics(registry: Registry, figures: () => Promise<QueueFigures>): void {
  const registers = [registry];
  let asked: Promise<QueueFigures | undefined> | undefined;
  const latest = (): Promise<QueueFigures | undefined> => {
    if (asked === undefined) {
      asked = figures().catch(() => undefined);
      setTimeout(() => (asked = undefined), SCRAPE_MS).unref();
    }
    return asked;
  };

  const gauge = (name: string, help: string, value: (figures: QueueFigures) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const now = await latest();
        if (now === undefined) this.remove();
        else this.set(value(now));
      },
    });
  };
  const counter = (name: string, help: string, label: string, values: readonly string[], prefix: string): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      async collect() {
        const now = await latest();
        // Redis keeps the count; a counter can only be set by starting again from zero.
        this.reset();
        if (now === undefined) return;
        for (const one of values) this.inc({ [label]: one }, now.totals[`${prefix}${one}`] ?? 0);
      },
    });
  };

  new Gauge({
    name: 'general_ocr_jobs_queue_up',
    help: '1 when Redis answers.',
    registers,
    async collect() {
      this.set((await latest()) === undefined ? 0 : 1);
    },
  });
  gauge('general_ocr_jobs_active', 'Jobs that have not ended.', ({ active }) => active);
  gauge(
    'general_ocr_jobs_pictures_waiting',
    'Pictures of jobs that workers have or that wait for one: 8 for each that can be read at a time, where there is enough to do.',
    ({ waiting }) => waiting,
  );
  gauge('general_ocr_jobs_workers', 'Workers heard of in the last 10 s.', ({ workers }) => workers);
  counter(
    'general_ocr_jobs_total',
    'Jobs by what became of them; created counts all.',
    'state',
    ['created', 'done', 'failed', 'cancelled'],
    'jobs_',
  );
  counter(
    'general_ocr_jobs_pictures_total',
    'Pictures of jobs by event. What is begun and neither done nor failed afterwards was tried again, or its worker ended.',
    'event',
    ['begun', 'done', 'failed'],
    'pictures_',
  );
}
