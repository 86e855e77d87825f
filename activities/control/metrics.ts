import { Counter, Histogram, type Registry } from 'prom-client';
import type { RecordedChange } from '../../src/db/queries/record.ts';
import type { MissedMove } from '../../src/db/queries/record-moves.ts';
import { hasEnded } from '../../src/domain/job.ts';
import { longBuckets } from '../../src/telemetry/registry.ts';

const secondsBetween = (from: Date | string, to: string): number =>
  Math.max(0, Date.parse(to) - new Date(from).getTime()) / 1000;

interface RecordMetrics {
  readonly measure: (change: RecordedChange) => void;
  readonly missed: (move: MissedMove) => void;
}

/** Counts and times what becomes of jobs, as it is recorded. */
export function recordMetrics(registry: Registry): RecordMetrics {
  const registers = [registry];
  const queueWait = new Histogram({
    name: 'millwright_job_queue_wait_seconds',
    help: 'From the acceptance of a job until its workflow begins.',
    labelNames: ['type'],
    buckets: longBuckets,
    registers,
  });
  const ended = new Counter({
    name: 'millwright_jobs_ended_total',
    help: 'Jobs that have ended, by how.',
    labelNames: ['type', 'outcome', 'rollback'],
    registers,
  });
  const duration = new Histogram({
    name: 'millwright_job_duration_seconds',
    help: 'From the acceptance of a job until its end.',
    labelNames: ['type', 'outcome'],
    buckets: longBuckets,
    registers,
  });
  const held = new Counter({
    name: 'millwright_jobs_held_total',
    help: 'How often a job has come to be held for a decision.',
    labelNames: ['type'],
    registers,
  });
  const steps = new Histogram({
    name: 'millwright_step_duration_seconds',
    help: 'From the beginning of a step, all its attempts and waits included, until it is done, undone or given up.',
    labelNames: ['type', 'step', 'outcome'],
    buckets: longBuckets,
    registers,
  });
  const missed = new Counter({
    name: 'millwright_resource_moves_missed_total',
    help: 'Moves of a resource by its job that found it in another state, or locked by another job.',
    labelNames: ['type'],
    registers,
  });
  const measure = ({
    job: { type, createdAt },
    transition: { at, sequence, state, rollback, step },
  }: RecordedChange): void => {
    if (sequence === 1) queueWait.observe({ type }, secondsBetween(createdAt, at));
    if (state === 'HELD') held.inc({ type });
    if (step?.endedAt) {
      steps.observe({ type, step: step.name, outcome: step.state }, secondsBetween(step.startedAt, step.endedAt));
    }
    if (!hasEnded(state)) return;
    ended.inc({ type, outcome: state, rollback });
    duration.observe({ type, outcome: state }, secondsBetween(createdAt, at));
  };
  return { measure, missed: ({ type }) => missed.inc({ type }) };
}
