import type { Registry } from 'prom-client';
import type { Database } from '../../src/db/client.ts';
import { recordTransitions } from '../../src/db/queries/record.ts';
import type { JobLimits } from '../../src/domain/job.ts';
import type { Logger } from '../../src/log.ts';
import type { Catalog } from '../../src/requests/catalog.ts';
import type { Sealer } from '../../src/secrets/sealer.ts';
import type { ControlActivities } from '../types.ts';
import { addressActivities } from './addresses.ts';
import { batchActivities } from './batch.ts';
import { bucketActivities } from './buckets.ts';
import { clusterActivities } from './clusters.ts';
import { recordMetrics } from './metrics.ts';
import { placementActivities } from './placement.ts';
import { reconcileActivities } from './reconcile.ts';
import { writeSpans } from './spans.ts';
import { tellRecorded } from './tell.ts';

export interface ControlDependencies {
  readonly database: Database;
  readonly catalog: () => Promise<Catalog>;
  readonly limits: JobLimits;
  readonly sealer: Sealer;
  /** From which share on of what is compared a run that finds it wrong is not believed. */
  readonly suspectShare: number;
  readonly registry: Registry;
  readonly log: Logger;
}

/** The only code beside the API that touches the database. */
export function createControlActivities(dependencies: ControlDependencies): ControlActivities {
  const { database, registry, log } = dependencies;
  const tell = tellRecorded(log);
  const { measure, missed } = recordMetrics(registry);
  return {
    async record(transitions) {
      const refusals = await recordTransitions(database.sql, transitions, {
        recorded: (changes) => {
          changes.forEach(tell);
          changes.forEach(measure);
          changes.forEach(writeSpans);
        },
        missed: (move) => {
          missed(move);
          log.error(move, 'a job moved its resource from a state in which it was not, or without its lock');
        },
        refused: (jobId, error) => log.error({ err: error, jobId }, 'the database refuses the rows of a job'),
      });
      refusals.forEach((refusal, index) => {
        if (refusal) log.warn({ transition: transitions[index], refusal }, 'a transition was refused');
      });
      return refusals;
    },
    ...addressActivities(dependencies),
    ...placementActivities(dependencies),
    ...batchActivities(dependencies),
    ...clusterActivities(dependencies),
    ...bucketActivities(dependencies),
    ...reconcileActivities(dependencies),
  };
}
