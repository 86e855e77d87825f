import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';

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

export const auditActSchema = z
  .object({
    id: idSchema.meta({ description: 'Of an accepted request, the id of its job.' }),
    at: timeSchema,
    organizationId: idSchema.nullable(),
    projectId: idSchema.nullable(),
    actor: z.string(),
    origin: z.string().nullable().meta({ description: 'The address that the request came from.' }),
    action: z.string().meta({ examples: ['vm.create', 'job.settle'] }),
    resource: z.object({ kind: z.string().nullable(), id: idSchema.nullable(), name: z.string().nullable() }),
    jobId: idSchema.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it was asked for.' }),
    details: z.record(z.string(), z.unknown()).nullable(),
    outcome: z.enum(auditOutcomes).nullable().meta({ description: 'Null while it is under way.' }),
    outcomeReason: z.string().nullable(),
    closedAt: timeSchema.nullable(),
    sequence: z.int().nullable().meta({ description: 'Its place in the chain; null until it is sealed.' }),
  })
  .meta({ id: 'AuditAct' });
export type AuditAct = z.infer<typeof auditActSchema>;

/** The end of the chain. Whoever keeps one elsewhere can later prove that everything up to it is as it was. */
export const auditHeadSchema = z.object({
  sequence: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditHead = z.infer<typeof auditHeadSchema>;

const auditFaultSchema = z.object({
  kind: z.enum(['changed', 'missing', 'gap', 'unsealed', 'unrecorded', 'head']),
  sequence: z.int().nullable(),
  detail: z.string(),
});
export type AuditFault = z.infer<typeof auditFaultSchema>;

export const auditReportSchema = z
  .object({
    sealed: z.int().meta({ description: 'How many entries are in the chain.' }),
    head: auditHeadSchema.nullable(),
    faults: z.array(auditFaultSchema).meta({ description: 'Empty where the record is whole; the first hundred.' }),
    appendOnly: z
      .boolean()
      .meta({ description: 'Whether the database denies the role of the API to change or delete entries.' }),
  })
  .meta({ id: 'AuditReport' });
export type AuditReport = z.infer<typeof auditReportSchema>;
