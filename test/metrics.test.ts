import t from 'tap';
import { createMetrics } from '../src/metrics.ts';
import { buildFakeApp, fakeEngine, IMAGE, MODEL_PACK, SAMPLE_PAGE } from './http/fixtures/fake-parts.ts';

const engine = {
  status: () => ({
    ready: true,
    processes: [
      { pid: 11, state: 'busy', residentBytes: 5000 },
      { pid: 12, state: 'idle', residentBytes: 6000 },
    ] as const,
    waiting: 3,
    restarts: 3,
    restartsBy: { death: 2, deadline: 0, memory: 1 },
  }),
};

/** Value of one series in Prometheus text format; undefined without such a series. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

t.test('the state of the engine at the moment of a scrape', async (t) => {
  const metrics = createMetrics({ engine, admission: { inside: 5 }, places: 34, modelPack: MODEL_PACK });
  await metrics.text();
  const text = await metrics.text();
  t.equal(valueOf(text, 'general_ocr_requests_waiting'), 3);
  t.equal(valueOf(text, 'general_ocr_requests_inside'), 5);
  t.equal(valueOf(text, 'general_ocr_requests_inside_limit'), 34);
  t.match(
    text,
    new RegExp(`^general_ocr_build_info\\{version="\\d+\\.\\d+\\.\\d+[^"]*",node="${process.version}"\\} 1$`, 'm'),
  );
  t.equal(
    valueOf(text, `general_ocr_model_pack_info{pack="fake-pack",file="detector.onnx",sha256="${'a'.repeat(64)}"}`),
    1,
  );
  t.equal(valueOf(text, 'general_ocr_ready'), 1);
  const restarts = (reason: string) => valueOf(text, `general_ocr_engine_restarts_total{reason="${reason}"}`);
  t.equal(restarts('death'), 2, 'not added up with each scrape');
  t.equal(restarts('deadline'), 0);
  t.equal(restarts('memory'), 1);
  t.equal(valueOf(text, 'general_ocr_engine_processes{state="busy"}'), 1);
  t.equal(valueOf(text, 'general_ocr_engine_processes{state="starting"}'), 0);
  t.equal(valueOf(text, 'general_ocr_resident_memory_bytes{process="engine-1"}'), 6000);
  t.ok((valueOf(text, 'general_ocr_resident_memory_bytes{process="server"}') ?? 0) > 1e6);
  t.ok((valueOf(text, 'process_resident_memory_bytes') ?? 0) > 1e6, 'the default metrics of the process');
});

t.test('a page', async (t) => {
  const metrics = createMetrics({ engine, admission: { inside: 0 }, places: 34, modelPack: MODEL_PACK });
  metrics.observePage({ page: SAMPLE_PAGE, fetchMs: 50, engineMs: 1310 });
  const text = await metrics.text();
  const seconds = (stage: string) => valueOf(text, `general_ocr_stage_duration_seconds_sum{stage="${stage}"}`);
  t.equal(seconds('fetch'), 0.05);
  t.equal(seconds('wait'), 1, 'engine time less the time in the process');
  t.equal(seconds('decode'), 0.005);
  t.equal(seconds('detect'), 0.2);
  t.equal(seconds('recognize'), 0.1);
  t.equal(seconds('total'), undefined, 'stages add up: a total among them would count twice');
  t.equal(valueOf(text, 'general_ocr_page_duration_seconds_sum'), 0.31);
  t.equal(valueOf(text, 'general_ocr_pages_total'), 1);
  t.equal(valueOf(text, 'general_ocr_lines_total'), 2);
  t.equal(valueOf(text, 'general_ocr_detector_pixels_total'), 900_000);
  t.equal(valueOf(text, 'general_ocr_recognizer_width_pixels_total'), 640);
});

t.test('requests, through the app', async (t) => {
  const app = await buildFakeApp({ engine: fakeEngine() });
  t.teardown(() => app.close());
  await app.inject({ method: 'POST', url: '/general_ocr', payload: { img: IMAGE } });
  await app.inject({ method: 'POST', url: '/general_ocr', payload: { img: '$' } });
  await app.inject('/secret-path');
  const response = await app.inject('/metrics');
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const count = (labels: string) => valueOf(response.body, `general_ocr_requests_total{${labels}}`);
  t.equal(count('route="/general_ocr",method="POST",status="200",code="OK"'), 1);
  t.equal(count('route="/general_ocr",method="POST",status="400",code="INVALID_BASE64"'), 1);
  t.equal(count('route="unknown",method="GET",status="404",code="NOT_FOUND"'), 1);
  t.equal(valueOf(response.body, 'general_ocr_errors_total{code="INVALID_BASE64"}'), 1);
  t.equal(valueOf(response.body, 'general_ocr_errors_total{code="INTERNAL"}'), 0, 'there before its first error');
  t.notMatch(response.body, /secret-path/, 'paths that were asked for make no series');
  t.equal(valueOf(response.body, 'general_ocr_pages_total'), 1);
  t.equal(valueOf(response.body, 'general_ocr_request_duration_seconds_count{route="/general_ocr",status="200"}'), 1);
});

t.test('the job queue, as Redis counts it, and without it when Redis does not answer', async (t) => {
  let answers = true;
  const jobs = async () => {
    if (!answers) throw new Error('no Redis');
    return { active: 2, waiting: 30, workers: 4, totals: { jobs_done: 7, pictures_begun: 12, pictures_done: 10 } };
  };
  const parts = { engine: fakeEngine(), admission: { inside: 0 }, places: 34, modelPack: MODEL_PACK, jobs };
  const text = await createMetrics(parts).text();
  for (const line of [
    'general_ocr_jobs_queue_up 1',
    'general_ocr_jobs_active 2',
    'general_ocr_jobs_pictures_waiting 30',
    'general_ocr_jobs_workers 4',
    'general_ocr_jobs_total{state="done"} 7',
    'general_ocr_jobs_total{state="failed"} 0',
    'general_ocr_jobs_pictures_total{event="begun"} 12',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  answers = false;
  const without = await createMetrics(parts).text();
  t.match(without, /^general_ocr_jobs_queue_up 0$/m);
  t.notMatch(without, /^general_ocr_jobs_(active|total|pictures_total)[ {]/m);
  t.match(without, /^general_ocr_ready /m, 'everything else is there');
});
