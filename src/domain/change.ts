import type { Act } from './kinds.ts';
import { type QuotaUse, someQuota } from './quota.ts';

/** Something uses another: a VM a network, or a volume. */
export interface Use {
  readonly user: string;
  readonly used: string;
}

/**
 * What an act changes of its resource beside its state. Kept with the job; the record of the job's end applies it once
 * the job is done, or takes back what was taken at its acceptance.
 */
export interface ResourceChange {
  /** Columns of the kind's own table. */
  readonly row?: Readonly<Record<string, unknown>>;
  /** Fields of what was asked for, which batches compare with; secrets veiled. */
  readonly requested?: Readonly<Record<string, unknown>>;
  /**
   * What the resource takes of its quota before and after. In between it holds the larger of each, and `meanwhile` beside
   * it: what the job hands on to the resources that it makes, and gives back what is left of when it has ended.
   */
  readonly quota?: { readonly before: QuotaUse; readonly after: QuotaUse; readonly meanwhile?: QuotaUse };
  /** Uses that begin when the act is accepted, and end again where it is undone. */
  readonly begins?: readonly Use[];
  /** Uses that end when the act is done. */
  readonly ends?: readonly Use[];
  /** Other resources that the job holds as well, by their ids, until it has ended. */
  readonly locks?: readonly string[];
  /** What takes it back once it is done. */
  readonly back?: { readonly verb: Act; readonly body: object };
}

type QuotaChange = NonNullable<ResourceChange['quota']>;

/** What has to be taken when the act is accepted. */
export const takenFor = ({ before, after, meanwhile = {} }: QuotaChange): QuotaUse =>
  someQuota((metric) => Math.max(0, (after[metric] ?? 0) - (before[metric] ?? 0)) + (meanwhile[metric] ?? 0));

/** What the resource holds while the act is at work. */
export const heldFor = ({ before, after, meanwhile = {} }: QuotaChange): QuotaUse =>
  someQuota((metric) => Math.max(before[metric] ?? 0, after[metric] ?? 0) + (meanwhile[metric] ?? 0));
