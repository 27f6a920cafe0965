import t from 'tap';
import { createAdmission } from '../../src/engine/admission.ts';
import { OcrError } from '../../src/errors.ts';

const overloaded = (retryAfterSeconds: number) => ({ name: 'OcrError', code: 'OVERLOADED', retryAfterSeconds });

t.test('lets in as many as there are places, and one more for each that leaves', async (t) => {
  const admission = createAdmission({ limit: 2 });
  const leave = admission.enter();
  admission.enter();
  t.equal(admission.inside, 2);
  t.throws(() => admission.enter(), overloaded(1));
  t.equal(admission.inside, 2, 'who is refused takes no place');
  leave();
  t.equal(admission.inside, 1);
  admission.enter();
  t.equal(admission.inside, 2);
});

t.test('refuseIfFull takes no place', async (t) => {
  const admission = createAdmission({ limit: 1 });
  admission.refuseIfFull();
  t.equal(admission.inside, 0);
  const leave = admission.enter();
  t.throws(() => admission.refuseIfFull(), overloaded(1));
  leave();
  admission.refuseIfFull();
});

t.test('a place is given back once, however often its holder leaves', async (t) => {
  const admission = createAdmission({ limit: 2 });
  const leave = admission.enter();
  admission.enter();
  leave();
  leave();
  t.equal(admission.inside, 1);
});

t.test('the message names the settings that give more places', async (t) => {
  const admission = createAdmission({ limit: 1 });
  admission.enter();
  try {
    admission.enter();
    t.fail('was let in');
  } catch (error) {
    t.ok(error instanceof OcrError);
    t.match(String(error), /All 1 places .*OCR_QUEUE_LENGTH.*OCR_ENGINE_PROCESSES/);
  }
});

t.test('Retry-After follows the time that recent requests spent inside', async (t) => {
  let nowMs = 0;
  const admission = createAdmission({ limit: 1, now: () => nowMs });
  const spend = (ms: number): void => {
    const leave = admission.enter();
    nowMs += ms;
    leave();
  };
  const check = (seconds: number, name: string): void => {
    const leave = admission.enter();
    t.throws(() => admission.enter(), overloaded(seconds), name);
    // Gone after no time: brings the mean down by a fifth.
    leave();
  };
  check(1, 'nothing is known yet');
  spend(200);
  check(1, 'never less than a second');
  for (let i = 0; i < 50; i++) spend(4200);
  check(5, 'whole seconds, upwards');
  for (let i = 0; i < 50; i++) spend(1500);
  check(2, 'old requests are forgotten');
  for (let i = 0; i < 50; i++) spend(600_000);
  check(30, 'never more than a request may take');
});
