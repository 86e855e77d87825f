import { createHash } from 'node:crypto';
import type { BatchFile } from '../../batch/file.ts';
import { MillwrightError } from '../../errors.ts';
import { secretKindOf } from '../../secrets/fields.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { veiled } from '../../secrets/specs.ts';
import { canonical } from './compare.ts';
import type { Decision } from './decision.ts';
import type { Situation } from './situation.ts';

/** A file as its hash may be kept: a hash of a secret could be searched for. */
export const veiledFile = async (sealer: Sealer, file: BatchFile): Promise<object> => ({
  ...file,
  secrets: Object.fromEntries(
    await Promise.all(
      Object.entries(file.secrets).map(async ([name, text]) => [name, await sealer.fingerprint(text)] as const),
    ),
  ),
  operations: await Promise.all(
    file.operations.map(async (operation) => {
      const kind = secretKindOf(operation.type);
      return kind ? { ...operation, with: await veiled(sealer, kind, operation.with) } : operation;
    }),
  ),
});

/** The parts of a plan's hash, in order, as one is told that they are others by now. */
const parts = ['the file', 'what is there', 'what the catalogue offers'] as const;

const digest = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);

/** `<file>.<there>.<catalogue>`: the same while none of the three changes, and it shows which did. */
export async function hashOf(
  sealer: Sealer,
  file: BatchFile,
  decisions: ReadonlyMap<string, Decision>,
  situation: Situation,
): Promise<string> {
  const there = [...decisions].map(([id, decision]) => {
    if (!decision.there) return [id, decision.action];
    const { id: resourceId, status, requested, deletionProtection, maintainer, currentJobId } = decision.there;
    const view = situation.view(resourceId);
    // Beside its own state a view has times, which change where nothing else does.
    const outputs = view && { ...view, createdAt: null, updatedAt: null, statusReason: null };
    return [id, decision.action, resourceId, status, requested, deletionProtection, maintainer, currentJobId, outputs];
  });
  const offered = [...new Set([...decisions.values()].map((decision) => canonical(decision.offered)))].sort();
  return [await veiledFile(sealer, file), there, offered].map(digest).join('.');
}

/** Throws where the plan that somebody agreed to is not the plan by now. */
export function refuseIfStale(agreed: string, now: string): void {
  if (agreed === now) return;
  const [before, after] = [agreed.split('.'), now.split('.')];
  const changed = before.length === parts.length ? parts.filter((_, at) => before[at] !== after[at]) : [];
  const what = changed.length > 0 ? `: ${changed.join(' and ')} changed since` : '';
  throw new MillwrightError(
    'conflict',
    `The plan is another by now${what}. Look at the new plan, then apply it (${now}).`,
  );
}
