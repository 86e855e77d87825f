import type { BatchOperation } from '../../batch/file.ts';
import type { There } from '../../db/queries/plan.ts';
import type { planActions } from '../../domain/batch.ts';
import type { PlanDifference } from '../../domain/plan.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import type { ErrorCode, Fault } from '../../errors.ts';

export type PlanAction = (typeof planActions)[number];

/** What an operation of the file will do, and why. */
export interface Decision {
  readonly operation: BatchOperation;
  readonly action: PlanAction;
  /** The resource that it is about, if it is there. */
  readonly there?: There | undefined;
  /** What its resource is called; undefined where that is known only after others have run. */
  readonly name?: string | undefined;
  readonly differences: readonly PlanDifference[];
  readonly reasons: readonly string[];
  /** What it will take, where it makes something; undefined where that cannot be said yet. */
  readonly quota?: QuotaUse | undefined;
  /** What of the catalogue it was decided by. */
  readonly offered?: unknown;
}

/** Something that keeps a plan from being carried out, at a place within an operation. */
export interface PlanFault extends Fault {
  readonly code: ErrorCode;
  /** The job in the way. */
  readonly jobId?: string | undefined;
}

/** Thrown and caught within the planning of one operation. */
export class Refusal extends Error {
  readonly faults: readonly PlanFault[];

  constructor(...faults: readonly PlanFault[]) {
    super(faults.map(({ detail }) => detail).join(' '));
    this.faults = faults;
  }
}
