import t from 'tap';
import { createByteBudget } from '../../src/http/byte-budget.ts';

/** An account that writes its name down when it is evicted. */
function opener(limitBytes: number) {
  const budget = createByteBudget(limitBytes);
  const evicted: string[] = [];
  const open = (name: string) =>
    budget.open((reason) => {
      t.match(reason, { code: 'OVERLOADED', retryAfterSeconds: 1 });
      evicted.push(name);
    });
  return { budget, evicted, open };
}

t.test('counts what is held, until it is given back', async (t) => {
  const { budget, evicted, open } = opener(100);
  const a = open('a');
  const b = open('b');
  a.add(60);
  b.add(40);
  t.equal(budget.heldBytes, 100, 'the limit itself fits');
  a.close();
  a.close();
  a.add(1);
  t.equal(budget.heldBytes, 40, 'a closed account counts no more');
  t.strictSame(evicted, []);
});

t.test('over the limit the largest that still receives goes, whoever came last', async (t) => {
  const { budget, evicted, open } = opener(100);
  const small = open('small');
  const large = open('large');
  const last = open('last');
  small.add(10);
  large.add(85);
  last.add(6);
  t.strictSame(evicted, ['large']);
  t.equal(budget.heldBytes, 16);
  large.add(50);
  t.equal(budget.heldBytes, 16, 'what it still receives is not counted');
});

t.test('what has arrived whole stays; who comes then has to go', async (t) => {
  const { budget, evicted, open } = opener(100);
  const whole = open('whole');
  whole.add(100);
  whole.settle();
  open('next').add(1);
  t.strictSame(evicted, ['next']);
  t.equal(budget.heldBytes, 100);
});

t.test('as many go as it takes', async (t) => {
  const { budget, evicted, open } = opener(100);
  const whole = open('whole');
  whole.add(90);
  whole.settle();
  open('a').add(5);
  open('b').add(3);
  open('c').add(4);
  t.strictSame(evicted, ['a']);
  open('d').add(9);
  t.strictSame(evicted, ['a', 'd']);
  t.equal(budget.heldBytes, 97);
});
