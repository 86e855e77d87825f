import type { There } from '../../db/queries/plan.ts';
import { knownAfterApply, type PlanDifference } from '../../domain/plan.ts';
import { canonical } from './compare.ts';
import type { Resolved } from './resolve.ts';

/** What a `<kind>.update` would change: labels are merged (RFC 7396), and what it does not name stays. */
export function compareUpdate(there: There, { fields, unknown }: Resolved): PlanDifference[] {
  const { labels, deletionProtection, maintainer } = there;
  const given: Readonly<Record<string, unknown>> = Object(fields.labels ?? {});
  const merged = Object.fromEntries(Object.entries({ ...labels, ...given }).filter(([, value]) => value !== null));
  const differences: PlanDifference[] = [];
  const differ = (field: string, before: unknown, after: unknown): void => {
    if (canonical(before) !== canonical(after)) differences.push({ field, before, after, replaces: null });
  };
  differ('labels', labels, unknown.has('labels') ? knownAfterApply : merged);
  const wanted = unknown.has('deletionProtection') ? knownAfterApply : fields.deletionProtection;
  differ('deletionProtection', deletionProtection, wanted ?? deletionProtection);
  const maintained = unknown.has('maintainer') ? knownAfterApply : fields.maintainer;
  differ('maintainer', maintainer, maintained === undefined ? maintainer : maintained);
  return differences;
}
