import type { AcceptOne } from '../db/queries/accept-together.ts';
import type { FailurePolicy, JobLimits, JobView, RetryPolicy } from '../domain/job.ts';
import type { StartableJob } from '../domain/start.ts';
import type { Trail } from '../domain/trail.ts';
import type { Sealer } from '../secrets/sealer.ts';

/** Who asks, in which project; what the API knows after it has looked at the token, or a batch of itself. */
export interface Caller {
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
  /** It may do what operators alone may. A batch was looked at when it was accepted. */
  readonly isOperator?: boolean;
  /** For the audit log. */
  readonly actor: string;
  /** The address that the request came from. */
  readonly origin: string | null;
  /** The request that is being answered, or that a batch was accepted for. */
  readonly trail?: Trail | undefined;
}

/** `Idempotency-Key` and the hash of what came with it. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

/** For the job of a batch's operation, or of a cluster's machine: where it belongs, under an id that was fixed beforehand. */
export interface BatchPlace {
  /** Null for a machine's. */
  readonly batchId: string | null;
  readonly operationId: string | null;
  readonly jobId: string;
  readonly parentJobId: string;
  /** The workflow that hosts the job. */
  readonly workflowId: string;
}

export interface AcceptOptions {
  readonly limits: JobLimits;
  readonly onFailure?: FailurePolicy | undefined;
  /** From acceptance to the job's deadline; the limits' own where it is left out. */
  readonly timeoutSeconds?: number | undefined;
  /** It takes back what another job did: no step of it waits longer for a worker than an undo does. */
  readonly takesBack?: boolean;
  /** What differs from the limits' own, for the job of a batch's operation. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Seals what of a request is secret before it is written. */
  readonly sealer: Sealer;
  /** Writes a create; by itself where it is left out. */
  readonly accept?: AcceptOne;
  readonly idempotency?: Idempotency | undefined;
  readonly batch?: BatchPlace | undefined;
}

/** What was accepted, now or, for a key that came before, then. */
export interface Accepted<View> {
  readonly jobId: string;
  readonly resourceId: string;
  /** To start its workflow with; undefined where the key had been accepted before, and its workflow started. */
  readonly start?: StartableJob;
  /** What was written, as it is shown; undefined where it has to be read. */
  readonly views?: { readonly resource: View; readonly job: JobView };
}
