import { expect, test } from 'vitest';
import { widthOf } from '../../cli/text.ts';
import { batchFrame } from '../../cli/watch/batch-frame.ts';
import { frame } from '../../cli/watch/frame.ts';
import { createProgress, track } from '../../cli/watch/progress.ts';
import type { BatchBasic } from '../../src/domain/batch.ts';
import type { ActiveView, WaitKind } from '../../src/domain/batch-progress.ts';
import { batch, event, job } from './things.ts';

const startedAt = '2026-11-23T12:00:00.000Z';
const after = (seconds: number): string => new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
const now = Date.parse(after(62));

const active = (id: string, changes: Partial<ActiveView> = {}): ActiveView => ({
  id,
  type: 'vm.create',
  state: 'RUNNING',
  resource: id,
  jobId: null,
  step: 'create',
  attempts: 1,
  startedAt: after(50),
  error: null,
  waitingFor: null,
  ...changes,
});
const wait = (kind: WaitKind, until: string | null = null): ActiveView['waitingFor'] => ({
  kind,
  reason: 'a reason',
  since: null,
  until,
});
const underWay = (counts: BatchBasic['counts'], progress: Partial<BatchBasic['progress']>): BatchBasic => {
  const one = batch([], { state: 'RUNNING', startedAt, counts });
  return { ...one, progress: { ...one.progress, ...progress } };
};

test('a batch has a bar, its counts, what needs somebody first, and what the rest waits for', () => {
  const one = underWay(
    { SUCCEEDED: 400, RUNNING: 3, PENDING: 8421, UNCHANGED: 100 },
    {
      held: [active('ip', { waitingFor: wait('decision'), error: { code: 'capacity', message: 'No\nroom.' } })],
      retrying: [
        active('web', {
          startedAt: after(31),
          attempts: 3,
          error: { code: 'unavailable', message: 'No answer.' },
          waitingFor: wait('retry', after(66)),
        }),
      ],
      running: [active('db')],
      underWay: 3,
      waiting: [
        { kind: 'decision', count: 1, reason: 'a decision' },
        { kind: 'approval', count: 1, reason: 'the approval of an admin: Go live?' },
        { kind: 'slot', count: 300, reason: 'a slot' },
        { kind: 'operations', count: 8120, reason: 'other operations' },
      ],
      next: [
        { id: 'a', type: 'vm.create' },
        { id: 'b', type: 'vm.create' },
      ],
    },
  );
  expect(batchFrame(one, now, { columns: 120, rows: 24 })).toEqual([
    `batch.apply web  ${'█'.repeat(2)}${'░'.repeat(38)}  500/8,924  RUNNING  1m02s`,
    '  1 held, 1 retrying, 3 running, 8,421 pending, 100 unchanged',
    '  ip   vm.create  HELD      12s  create  No room.',
    '  web  vm.create  RETRYING  31s  create  attempt 3, next try in 4s: No answer.',
    '  db   vm.create  RUNNING   12s  create',
    '  waiting: 8,120 for operations, 300 for a slot, 1 for approval (the approval of an admin: Go live?)',
    '  next: a, b',
  ]);
});

test('a huge batch stays within the terminal, however small', () => {
  const one = underWay(
    { RUNNING: 1000, PENDING: 9000 },
    {
      running: Array.from({ length: 20 }, (_, index) => active(`op-${index}`)),
      underWay: 1000,
      waiting: [{ kind: 'operations', count: 9000, reason: 'other operations' }],
      next: [{ id: 'a-name-that-is-long', type: 'vm.create' }],
    },
  );
  for (const rows of [1, 2, 3, 4, 5, 6, 24, 200]) {
    for (const columns of [1, 10, 40, 200]) {
      const lines = batchFrame(one, now, { columns, rows });
      expect(lines.length).toBeLessThan(Math.max(rows, 2));
      expect(Math.max(...lines.map(widthOf))).toBeLessThan(Math.max(columns, 2));
    }
  }
  const lines = batchFrame(one, now, { columns: 80, rows: 10 });
  expect(lines).toHaveLength(9);
  expect(lines.slice(-3)).toEqual([
    '  … and 996 more under way',
    '  waiting: 9,000 for operations',
    '  next: a-name-that-is-long',
  ]);
});

test('a batch that has ended waits for nothing, and one that is taken back says so', () => {
  const back = underWay({ ROLLING_BACK: 1 }, { running: [active('db', { state: 'ROLLING_BACK' })], underWay: 1 });
  const lines = batchFrame({ ...back, rollback: 'running' }, now, { columns: 80, rows: 24 });
  expect(lines[0]).toMatch(/0\/1 {2}ROLLING_BACK/);
  expect(lines[2]).toContain('db  vm.create  ROLLING_BACK');
  const ended = batchFrame({ ...back, state: 'FAILED', endedAt: after(60) }, now, { columns: 80, rows: 24 });
  expect(ended[0]).toContain('FAILED  1m00s');
});

test.each([
  [20, 'about 20 s left'],
  [120, 'about 2 min left'],
  [3 * 3600, 'about 3 h left'],
  [-5, 'about 1 s left'],
])('a batch that is foreseen to take %i s more says: %s', (seconds, words) => {
  const estimatedEndAt = new Date(now + seconds * 1000).toISOString();
  const [head] = batchFrame(underWay({ RUNNING: 1 }, { estimatedEndAt }), now, { columns: 120, rows: 24 });
  expect(head).toContain(`, ${words}`);
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
