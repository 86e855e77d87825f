/**
 * An act is on record before it is done, and closed by what came of it:
 *
 * ```
 *   opened ──▶ closed SUCCEEDED | FAILED | CANCELED     by whoever did it, or by the end of its job
 *          └─▶ closed LOST                              by the sweep: a crash came between act and outcome
 * ```
 */
export const auditPhases = ['opened', 'closed'] as const;
const auditOutcomes = ['SUCCEEDED', 'FAILED', 'CANCELED', 'LOST'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** An act to be put on record. */
export interface Act {
  /** Null where it concerns no organisation, or no project. */
  readonly organizationId: string | null;
  readonly projectId: string | null;
  /** The name of the token or user, or of what else acted. */
  readonly actor: string;
  /** The address that the request came from. */
  readonly origin: string | null;
  /** `<thing>.<verb>`, as `job.settle` or `token.create`. */
  readonly action: string;
  readonly resource: { readonly kind: string; readonly id: string | null; readonly name: string | null };
  /** The job that it concerns, if any. */
  readonly jobId?: string;
  readonly reason?: string;
  /** What was asked for, where nothing else says it. Never a secret: it is shown, and can never be taken back. */
  readonly details?: Readonly<Record<string, unknown>>;
}
