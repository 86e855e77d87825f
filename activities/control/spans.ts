import type { RecordedChange } from '../../src/db/queries/record.ts';
import { hasEnded } from '../../src/domain/job.ts';
import { writeJobSpan, writeStepSpan } from '../../src/telemetry/tracing.ts';

/** Writes the spans of what has come to its end. */
export function writeSpans({ job, transition }: RecordedChange): void {
  const { id, type, region, requestId, traceparent, parentJobId, workflowId, createdAt } = job;
  if (requestId === null || traceparent === null) return;
  const trail = { requestId, traceparent };
  const { step, state, at } = transition;
  const attributes = {
    'millwright.job.id': id,
    'millwright.job.type': type,
    'millwright.request.id': requestId,
    'millwright.workflow.id': workflowId,
    ...(region === null ? {} : { 'millwright.region': region }),
  };
  if (step?.endedAt) {
    const undone = step.state === 'UNDONE' || step.state === 'UNDO_FAILED';
    writeStepSpan(id, trail, step.name, undone, {
      name: undone ? `undo ${step.name}` : `step ${step.name}`,
      startedAt: new Date(step.startedAt),
      endedAt: new Date(step.endedAt),
      failed: step.state === 'FAILED' || step.state === 'UNDO_FAILED',
      attributes: { ...attributes, 'millwright.step.state': step.state, 'millwright.step.attempts': step.attempts },
    });
  }
  if (!hasEnded(state)) return;
  writeJobSpan(id, trail, parentJobId, {
    name: `job ${type}`,
    startedAt: createdAt,
    endedAt: new Date(at),
    failed: state === 'FAILED',
    attributes: { ...attributes, 'millwright.job.state': state },
  });
}
