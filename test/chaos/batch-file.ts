import type { FailurePolicy } from '../../src/domain/job.ts';
import type { Dice } from './dice.ts';
import { bodyOf, nameOf, regions } from './things.ts';

interface Operation {
  readonly id: string;
  readonly type: string;
  readonly region?: string;
  readonly dependsOn: readonly string[];
  readonly with: Readonly<Record<string, unknown>>;
}

/** A batch of a random graph, as YAML's subset JSON: creates that use each other, deletions, and edges of its own. */
export function batchFile(dice: Dice, name: string, onFailure: FailurePolicy): string {
  const operations: Operation[] = [];
  const count = dice.int(2, 9);
  const taken = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const kind = dice.weighted({ vm: 4, network: 3, volume: 4 });
    const resource = nameOf(dice, kind);
    // A name twice in one file is refused, and so would tell of nothing.
    if (taken.has(resource)) continue;
    taken.add(resource);
    const verb = dice.chance(0.15) ? 'delete' : 'create';
    const dependsOn = dice.some(
      operations.map(({ id }) => id),
      0.25,
    );
    const body = verb === 'create' ? { ...bodyOf(dice, kind), ...used(kind, operations) } : {};
    operations.push({
      id: `op-${index}`,
      type: `${kind}.${verb}`,
      ...(verb === 'create' ? { region: dice.pick(regions) } : {}),
      dependsOn,
      with: { name: resource, ...body },
    });
  }
  return JSON.stringify({ name, version: 1, parallelLimit: dice.int(1, 5), onFailure, operations }, null, 1);
}

/** A VM of a batch uses what the batch makes before it, if anything: so the graph has edges that nobody wrote. */
function used(kind: string, before: readonly Operation[]): object {
  if (kind !== 'vm') return {};
  const made = (type: string) =>
    before.filter((operation) => operation.type === type).map((operation) => operation.with.name);
  return { networks: made('network.create').slice(-1), volumes: made('volume.create').slice(-1) };
}
