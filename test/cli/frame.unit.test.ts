import { expect, test } from 'vitest';
import { widthOf } from '../../cli/text.ts';
import { frame } from '../../cli/watch/frame.ts';
import { createProgress, readBatch, track } from '../../cli/watch/progress.ts';
import { batch, event, job, jobOf, operation } from './things.ts';

const startedAt = '2026-11-23T12:00:00.000Z';
const after = (seconds: number): string => new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
const now = Date.parse(after(62));

test('a batch has a bar, its counts, and what is under way, what needs attention first', () => {
  const one = batch([
    operation('a', 'UNCHANGED'),
    operation('b', 'SUCCEEDED'),
    operation('db', 'PENDING'),
    operation('web', 'PENDING'),
    operation('last', 'PENDING'),
  ]);
  const applying = jobOf(one, { startedAt });
  const progress = createProgress([applying], one);
  track(progress, event(applying, { at: startedAt }));
  track(
    progress,
    event(job({ operationId: 'db' }), {
      at: after(50),
      step: { name: 'create', state: 'RUNNING', attempts: 1, nextAttemptAt: null },
    }),
  );
  track(
    progress,
    event(job({ operationId: 'web' }), {
      at: after(31),
      state: 'RETRYING',
      step: { name: 'create', state: 'RETRYING', attempts: 3, nextAttemptAt: after(66) },
      error: { code: 'unavailable', message: 'No\nanswer.' },
    }),
  );
  expect(frame(progress, now, { columns: 80, rows: 24 })).toEqual([
    'batch.apply web  ███████████████░░░░░░░░░░░░░░░░░░░░░░░  2/5  RUNNING  1m02s',
    '  1 retrying, 1 running, 1 unchanged, 1 pending',
    '  web  vm.create  RETRYING  31s  create  attempt 3, next try in 4s: No answer.',
    '  db   vm.create  RUNNING   12s  create',
  ]);
});

test('a huge batch stays within the terminal, however small', () => {
  const one = batch(Array.from({ length: 10_000 }, (_, index) => operation(`op-${index}`, 'RUNNING', { startedAt })));
  const progress = createProgress([jobOf(one)], one);
  for (const rows of [1, 2, 3, 4, 24, 200]) {
    for (const columns of [1, 10, 40, 200]) {
      const lines = frame(progress, now, { columns, rows });
      expect(lines.length).toBeLessThan(Math.max(rows, 2));
      expect(Math.max(...lines.map(widthOf))).toBeLessThan(Math.max(columns, 2));
    }
  }
  const lines = frame(progress, now, { columns: 80, rows: 10 });
  expect(lines).toHaveLength(9);
  expect(lines.at(-1)).toBe('  … and 9994 more');
});

test('one job shows its steps, those of a rollback too', () => {
  const one = job({ startedAt });
  const progress = createProgress([one]);
  const step = (name: string, state: 'SUCCEEDED' | 'FAILED' | 'UNDOING') => ({
    name,
    state,
    attempts: 1,
    nextAttemptAt: null,
  });
  track(progress, event(one, { at: startedAt, step: step('place', 'SUCCEEDED') }));
  track(
    progress,
    event(one, { at: after(2), step: step('create', 'FAILED'), error: { code: 'capacity', message: 'No room.' } }),
  );
  track(progress, event(one, { at: after(60), rollback: 'running', step: step('place', 'UNDOING') }));
  expect(frame(progress, now, { columns: 80, rows: 24 })).toEqual([
    'vm.create web-1  ROLLING_BACK  1m02s',
    '  place   UNDOING  1m02s',
    '  create  FAILED   <1s    No room.',
  ]);
});

test('several jobs are counted as they end', () => {
  const jobs = [
    job({ type: 'vm.delete' }),
    job({ type: 'vm.delete', resource: { id: job().id, kind: 'vm', name: 'web-2' } }),
  ] as const;
  const progress = createProgress(jobs);
  track(progress, event(jobs[0], { state: 'SUCCEEDED' }));
  track(progress, event(jobs[1], { at: after(60) }));
  const [head, counts, line] = frame(progress, now, { columns: 80, rows: 24 });
  expect(head).toMatch(/^2 jobs {2}█{20}░{20} {2}1\/2 {2}RUNNING/);
  expect(counts).toBe('  1 running');
  expect(line).toBe('  web-2  vm.delete  RUNNING  2s');
});

test('an operation that is taken back is not done again', () => {
  const one = batch([operation('db', 'SUCCEEDED')]);
  const progress = createProgress([jobOf(one)], one);
  const undo = job({ operationId: 'db', type: 'vm.delete' });
  const shown = () => frame(progress, now, { columns: 80, rows: 24 })[1]?.trim();
  track(progress, event(undo));
  expect(shown()).toBe('1 rolling back');
  track(progress, event(undo, { state: 'SUCCEEDED' }));
  expect(shown()).toBe('1 rolled back');
});

test('a look at the batch that is older than its events takes nothing back', () => {
  const one = batch([operation('db', 'RUNNING'), operation('web', 'PENDING')]);
  const progress = createProgress([jobOf(one)], one);
  track(progress, event(job({ operationId: 'db' }), { state: 'SUCCEEDED' }));
  track(progress, event(job({ operationId: 'web' }), { state: 'RETRYING' }));
  readBatch(progress, one);
  expect(frame(progress, now, { columns: 80, rows: 24 })[1]?.trim()).toBe('1 retrying');
});
