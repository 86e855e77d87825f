import type { RecordedChange } from '../../src/db/queries/record.ts';
import type { Logger } from '../../src/log.ts';

/** One line for each change of a job: the control worker's part of the job's story. */
export const tellRecorded =
  (log: Logger) =>
  ({ job, transition: { state, rollback, step, error } }: RecordedChange): void => {
    const { id, requestId, workflowId, organizationId, projectId, region, type, operationId } = job;
    const told = step?.error ?? error;
    log.info(
      {
        requestId: requestId ?? undefined,
        jobId: id,
        workflowId,
        organizationId,
        projectId,
        region: region ?? undefined,
        type,
        operationId: operationId ?? undefined,
        state,
        rollback,
        ...(step ? { step: step.name, stepState: step.state, attempt: step.attempts } : {}),
        ...(told ? { error: told.message } : {}),
      },
      step ? `job ${state}, step ${step.name} ${step.state}` : `job ${state}`,
    );
  };
