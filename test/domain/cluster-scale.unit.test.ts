import { expect, test } from 'vitest';
import type { ClusterShape } from '../../src/domain/cluster.ts';
import { clusterScaleSchema, differenceOf, scaled, unscaled } from '../../src/domain/cluster-scale.ts';

const pool = (name: string, count: number) => ({ name, count, flavor: 'small', labels: {} });
const before: ClusterShape = {
  controlPlane: { count: 1, flavor: 'small' },
  pools: [pool('web', 3), pool('jobs', 2)],
};
const after = (asked: object): ClusterShape => {
  const shape = scaled('shop', before, clusterScaleSchema.parse(asked));
  if ('faults' in shape) throw new Error(JSON.stringify(shape.faults));
  return shape;
};
const faultsOf = (asked: object) => {
  const shape = scaled('shop', before, clusterScaleSchema.parse(asked));
  return 'faults' in shape ? shape.faults.map(({ pointer }) => pointer) : [];
};
const machine = (name: string, role: 'worker' | 'control-plane', pool: string | null) => ({
  ...{ name: `shop-${name}`, role, pool, vm: null, vmStatus: null, node: null, version: null },
});
const machines = [
  machine('cp-0', 'control-plane', null),
  ...[0, 1, 2].map((ordinal) => machine(`web-${ordinal}`, 'worker', 'web')),
  ...[0, 1].map((ordinal) => machine(`jobs-${ordinal}`, 'worker', 'jobs')),
];

test.for([
  { controlPlane: { count: 3 } },
  { pools: [{ name: 'web', count: 9 }] },
  { pools: [{ name: 'web', count: 0 }] },
  { pools: [{ name: 'new', count: 1, flavor: 'medium' }] },
  { pools: [{ name: 'jobs', count: 0, remove: true }] },
  {
    controlPlane: { count: 5 },
    pools: [
      { name: 'new', count: 0, flavor: 'medium' },
      { name: 'web', count: 1 },
    ],
  },
])('what takes a scaling back gives the shape before: %j', (asked) => {
  const then = after(asked);
  expect(scaled('shop', then, { ...clusterScaleSchema.parse(unscaled(before, then)) })).toEqual(before);
});

test('a pool shrinks from its highest ordinals, and grows into the gaps that it has', () => {
  expect(differenceOf({ machines }, before, after({ pools: [{ name: 'web', count: 1 }] }))).toMatchObject({
    add: [],
    remove: [{ pool: 'web', ordinals: [1, 2] }],
  });
  const gap = machines.filter(({ name }) => name !== 'shop-web-1');
  expect(differenceOf({ machines: gap }, before, after({ pools: [{ name: 'web', count: 4 }] }))).toMatchObject({
    add: [{ pool: 'web', ordinals: [1, 3] }],
    remove: [],
  });
});

test('a pool that goes takes all its machines with it', () => {
  const then = after({ pools: [{ name: 'jobs', count: 0, remove: true }] });
  expect(differenceOf({ machines }, before, then)).toMatchObject({
    add: [],
    remove: [{ pool: 'jobs', ordinals: [0, 1] }],
  });
  expect(then.pools).toEqual([pool('web', 3)]);
});

test('what a cluster cannot become is told, all of it', () => {
  const many = Array.from({ length: 5 }, (_, index) => ({ name: `p-${index}`, count: 100, flavor: 'small' }));
  expect(
    faultsOf({ pools: [...many, { name: 'web', count: 1, labels: { a: 'b' } }, { name: 'none', count: 1 }] }),
  ).toEqual(['/pools/5/labels', '/pools/6/flavor', '/pools']);
});

test.for([{}, { pools: [] }, { pools: [{ name: 'web', count: 1, remove: true }] }, { controlPlane: { count: 2 } }])(
  'a request that asks for nothing, or for what cannot be, is none: %j',
  (asked) => {
    expect(clusterScaleSchema.safeParse(asked).success).toBe(false);
  },
);
