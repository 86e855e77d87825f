import { z } from 'zod';
import type { Fault } from '../errors.ts';
import {
  type Cluster,
  type ClusterShape,
  controlPlaneCountSchema,
  maxNodes,
  maxPools,
  nodesIn,
  poolCountSchema,
  poolNameSchema,
} from './cluster.ts';
import { groupsOf, type MachineGroup } from './cluster-machines.ts';
import { jobFields, labelsSchema, nameSchema } from './common.ts';

const poolSchema = z
  .strictObject({
    name: poolNameSchema,
    count: poolCountSchema,
    flavor: nameSchema.optional().meta({ description: 'Of a new pool; of one that is there it stays what it is.' }),
    labels: labelsSchema
      .optional()
      .meta({ description: 'Of a new pool; of one that is there they stay what they are.' }),
    remove: z.literal(true).optional().meta({ description: 'With count 0: the pool itself goes as well.' }),
  })
  .refine(({ count, remove }) => !remove || count === 0, { path: ['count'], message: 'Expected 0: the pool is to go' });

/** What changes of a cluster's machines; a pool that is not named stays as it is. */
export const clusterScaleSchema = z
  .strictObject({
    controlPlane: z.strictObject({ count: controlPlaneCountSchema }).optional(),
    pools: z
      .array(poolSchema)
      .max(maxPools)
      .default([])
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'Expected each pool once'),
    ...jobFields,
  })
  .refine(({ controlPlane, pools }) => controlPlane !== undefined || pools.length > 0, {
    path: ['pools'],
    message: 'Expected a pool, or controlPlane',
  })
  .meta({ id: 'ClusterScale' });
export type ClusterScale = z.infer<typeof clusterScaleSchema>;

/** A cluster's shape as it is asked for, or what is wrong with that. */
export function scaled(name: string, before: ClusterShape, asked: ClusterScale): ClusterShape | { faults: Fault[] } {
  const faults: Fault[] = [];
  const named = new Map(asked.pools.map((pool, index) => [pool.name, { ...pool, pointer: `/pools/${index}` }]));
  const kept = before.pools.flatMap((pool) => {
    const wanted = named.get(pool.name);
    if (!wanted) return [pool];
    named.delete(pool.name);
    for (const field of ['flavor', 'labels'] as const) {
      if (wanted[field] === undefined || isSame(wanted[field], pool[field])) continue;
      const detail = `The pool "${pool.name}" has other ${field}, in which all its machines are alike. Leave ${field} out, or make a pool of another name.`;
      faults.push({ pointer: `${wanted.pointer}/${field}`, detail });
    }
    return wanted.remove ? [] : [{ ...pool, count: wanted.count }];
  });
  const added = [...named.values()].flatMap(({ pointer, name: pool, count, flavor, labels = {}, remove }) => {
    if (remove) return [];
    if (flavor !== undefined) return [{ name: pool, count, flavor, labels }];
    const detail = `The cluster "${name}" has no pool "${pool}". Give a flavor to make it.`;
    faults.push({ pointer: `${pointer}/flavor`, detail });
    return [];
  });
  const { count = before.controlPlane.count } = asked.controlPlane ?? {};
  const after = { controlPlane: { ...before.controlPlane, count }, pools: [...kept, ...added] };
  const wouldHave = `The cluster "${name}" would have`;
  if (nodesIn(after) > maxNodes)
    faults.push({ pointer: '/pools', detail: `${wouldHave} ${nodesIn(after)} nodes. Expected at most ${maxNodes}.` });
  if (after.pools.length > maxPools)
    faults.push({
      pointer: '/pools',
      detail: `${wouldHave} ${after.pools.length} pools. Expected at most ${maxPools}.`,
    });
  return faults.length > 0 ? { faults } : after;
}

const isSame = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);
const canonical = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(Object.entries(value).toSorted()) : String(value);

/** What takes a change of its shape back. */
export function unscaled(before: ClusterShape, after: ClusterShape): Pick<ClusterScale, 'controlPlane' | 'pools'> {
  const pools = new Map(after.pools.map((pool) => [pool.name, pool]));
  const changed = before.pools.flatMap(({ name, count, flavor, labels }) => {
    const now = pools.get(name);
    pools.delete(name);
    if (!now) return [{ name, count, flavor, labels }];
    return now.count === count ? [] : [{ name, count }];
  });
  const added = [...pools.keys()].map((name) => ({ name, count: 0, remove: true as const }));
  const { count } = before.controlPlane;
  return {
    ...(count === after.controlPlane.count ? {} : { controlPlane: { count } }),
    pools: [...changed, ...added],
  };
}

/** The machines that a cluster lacks of a shape, and those that it has beside it: those of the highest ordinals. */
export function differenceOf(
  there: Pick<Cluster, 'machines'>,
  before: ClusterShape,
  after: ClusterShape,
): { readonly add: readonly MachineGroup[]; readonly remove: readonly MachineGroup[] } {
  const wanted = groupsOf(after);
  const gone = groupsOf(before)
    .filter(({ pool }) => !wanted.some((group) => group.pool === pool))
    .map((group) => ({ ...group, ordinals: [] }));
  const compared = [...wanted, ...gone].map((group) => {
    const has = there.machines
      .filter(({ role, pool }) => role === group.role && pool === group.pool)
      .map(({ name }) => Number(name.slice(name.lastIndexOf('-') + 1)));
    return {
      add: { ...group, ordinals: group.ordinals.filter((ordinal) => !has.includes(ordinal)) },
      remove: { ...group, ordinals: has.filter((ordinal) => !group.ordinals.includes(ordinal)) },
    };
  });
  const some = ({ ordinals }: MachineGroup): boolean => ordinals.length > 0;
  return {
    add: compared.map(({ add }) => add).filter(some),
    remove: compared.map(({ remove }) => remove).filter(some),
  };
}
