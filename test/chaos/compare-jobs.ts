import { hasEnded, type JobView } from '../../src/domain/job.ts';
import type { Asked, Auditor } from './auditor.ts';

/** Every job by what was asked for, and every request by its jobs: each once, none beside. */
export function compareRequests(jobs: readonly JobView[], auditor: Auditor): void {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const claimed = new Set<string>();
  const unsure: Asked[] = [];
  for (const asked of auditor.asked) {
    const { request } = asked;
    for (const id of asked.jobIds) {
      const job = byId.get(id);
      const type = request.verb === 'batch' ? 'batch.apply' : `${request.kind}.${request.verb}`;
      if (!job) auditor.find(`job ${id} was answered to ${request.method} ${request.path}, and is not there`);
      else if (job.type !== type || job.resource.name !== request.name || job.projectId !== asked.tenant.projectId)
        auditor.find(
          `job ${id} was answered to a ${type} of ${request.name}, and is a ${job.type} of ${job.resource.name}`,
        );
      if (claimed.has(id)) auditor.find(`job ${id} was answered to two requests`);
      claimed.add(id);
    }
    if (request.verb !== 'update' && asked.jobIds.size === 0 && asked.lost > 0) unsure.push(asked);
  }
  for (const job of jobs) {
    if (job.batchId !== null) {
      if (!jobs.some((other) => other.type === 'batch.apply' && other.resource.id === job.batchId))
        auditor.find(`job ${job.id} is of the batch ${job.batchId}, which has no job`);
      continue;
    }
    if (claimed.has(job.id)) continue;
    const index = unsure.findIndex(
      ({ tenant, request }) =>
        tenant.projectId === job.projectId &&
        request.name === job.resource.name &&
        (request.verb === 'batch' ? job.type === 'batch.apply' : job.type === `${request.kind}.${request.verb}`),
    );
    if (index < 0) auditor.find(`job ${job.id} (${job.type} of ${job.resource.name}) was asked for by nobody`);
    // One request, however often it was lost, has one job at most: under its key, or for it was sent once.
    else unsure.splice(index, 1);
  }
}

/** Each job's end, rollback and steps by themselves: a story that can be true. */
export function compareEnds(jobs: readonly JobView[], auditor: Auditor): void {
  const operationsOf = Map.groupBy(jobs, ({ batchId }) => batchId);
  const parentOf = new Map(jobs.filter(({ type }) => type === 'batch.apply').map((job) => [job.resource.id, job]));
  for (const job of jobs) {
    const wrong = (what: string): void =>
      auditor.find(
        `job ${job.id} (${job.type} of ${job.resource.name}, ${job.state}, rollback ${job.rollback}): ${what}`,
      );
    if (!hasEnded(job.state)) continue;
    if (job.endedAt === null) wrong('it has no end');
    if (job.settlements.length > 0 || job.nextAttemptAt !== null || job.waitingFor !== null) wrong('it still waits');
    for (const step of job.steps) {
      if (step.endedAt === null) wrong(`its step "${step.name}" is ${step.state} and has no end`);
      if (step.attempts < 1) wrong(`its step "${step.name}" was never tried`);
    }
    const states = job.steps.map(({ state }) => state);
    const byHand = auditor.maybe(job.id, 'mark-done');
    switch (job.state) {
      case 'SUCCEEDED':
        if (job.error !== null) wrong(`it tells of the error ${job.error.message}`);
        if (job.rollback !== 'none') wrong('what succeeded was undone');
        if (!byHand && states.some((state) => state !== 'SUCCEEDED' && state !== 'SKIPPED'))
          wrong(`its steps are ${states}`);
        if (states.includes('SKIPPED') && !auditor.maybe(job.id, 'skip')) wrong('nobody had it skip a step');
        break;
      case 'FAILED':
        if (job.error === null) wrong('it does not say why');
        break;
      case 'CANCELED': {
        // A batch that is canceled cancels its operations; and it is, where one of them was.
        const family = [
          job,
          ...(job.batchId === null ? [] : [parentOf.get(job.batchId)]),
          ...(operationsOf.get(job.resource.id) ?? []),
        ];
        if (!family.some((member) => member && auditor.maybe(member.id, 'cancel'))) wrong('nobody had it canceled');
        break;
      }
    }
    if (job.rollback === 'complete' && !byHand && states.some((state) => state !== 'UNDONE'))
      wrong(`its steps are ${states}`);
    if ((job.rollback === 'running' || job.rollback === 'stuck') && !auditor.maybe(job.id, 'abandon'))
      wrong('nobody gave it up');
  }
}
