import { createHash } from 'node:crypto';
import type { There } from '../../db/queries/plan.ts';
import { knownAfterApply, type PlanDifference, veiledSecret } from '../../domain/plan.ts';
import { secretsOf } from '../../secrets/fields.ts';
import type { Unknown } from './resolve.ts';
import type { NamedResource } from './situation.ts';

type Requested = Readonly<Record<string, unknown>>;

/** What Millwright alone keeps of a resource is changed in place; see `update.ts`. */
const inPlace: readonly string[] = ['labels', 'deletionProtection'];

/** Fields that follow from another, and are not known before it is. */
const followers: Readonly<Record<string, readonly string[]>> = { flavor: ['vcpus', 'memoryMib', 'diskGib'] };

interface Comparing {
  readonly there: There;
  /** What the file asks for, its secrets in clear, and the same with them veiled. */
  readonly wanted: Requested;
  readonly veiled: Requested;
  readonly unknown: ReadonlyMap<string, Unknown>;
  /** A name that people know for the id of what is used. */
  readonly nameOf: (used: NamedResource) => string | undefined;
}

/**
 * The fields in which a resource is not as the file would have it. One that waits for something made anew counts as
 * different; one that waits for a call that will be made is left out: to make a machine anew each time that somebody
 * asks would be worse.
 */
export function compareFields({ there, wanted, veiled, unknown, nameOf }: Comparing): PlanDifference[] {
  const { kind } = there;
  const before = sinceSealing(there.requested, wanted, veiled);
  const waiting = new Set([...unknown.keys()].flatMap((field) => [field, ...(followers[field] ?? [])]));
  const fields = Object.keys({ ...veiled, ...before }).filter(
    (field) => !waiting.has(field) && canonical(veiled[field]) !== canonical(before[field]),
  );
  const known = fields.map((field) => ({
    field,
    before: shown(field, before[field]),
    after: shown(field, veiled[field]),
    replaces: whyAnew(kind, field),
  }));
  const later = [...unknown].flatMap(([field, why]) =>
    why === 'run'
      ? []
      : [{ field, before: shown(field, before[field]), after: knownAfterApply, replaces: whyAnew(kind, field) }],
  );
  return [...known, ...later];

  function shown(field: string, value: unknown): unknown {
    if (secretsOf[kind].some(([first]) => first === field)) return value === '' ? '' : veiledSecret;
    if (field === 'volume') return nameOf({ kind: 'volume', reference: String(value) }) ?? value ?? null;
    const used = field === 'networks' ? 'network' : field === 'volumes' ? 'volume' : undefined;
    if (!used || !Array.isArray(value)) return value ?? null;
    return value.map((id: unknown) => nameOf({ kind: used, reference: String(id) }) ?? id);
  }
}

const whyAnew = (kind: string, field: string): string | null => {
  if (inPlace.includes(field)) return null;
  return field === 'region' || field === 'provider'
    ? `a ${kind} does not move to another ${field}`
    : `the ${field} of a ${kind} cannot be changed in place`;
};

/** What releases before secrets were sealed kept of a VM's user data was its hash; here as it is kept now. */
function sinceSealing({ userDataSha256, ...kept }: Requested, { userData }: Requested, veiled: Requested): Requested {
  if (userDataSha256 === undefined) return kept;
  const same = createHash('sha256').update(String(userData)).digest('hex') === userDataSha256;
  return { ...kept, userData: same ? veiled.userData : { $fingerprint: userDataSha256 } };
}

/** JSON with its keys in order, as jsonb does not keep them. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  );
}
