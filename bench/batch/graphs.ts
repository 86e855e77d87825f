import { seeded } from '../seeded.ts';

export const graphNames = ['independent', 'layered', 'chain', 'random'] as const;
export type GraphName = (typeof graphNames)[number];

/** Of each operation, by its position, the positions of those that it waits for, which all come before it. */
export type Edges = readonly (readonly number[])[];

const layers = 10;
const mostDependencies = 3;

export function edgesOf(graph: GraphName, operations: number): Edges {
  const random = seeded(operations);
  const someOf = (from: number, to: number, count: number): number[] => [
    ...new Set(Array.from({ length: count }, () => from + Math.floor(random() * (to - from)))),
  ];
  const perLayer = Math.ceil(operations / layers);
  return Array.from({ length: operations }, (_, position) => {
    switch (graph) {
      case 'independent':
        return [];
      case 'chain':
        return position === 0 ? [] : [position - 1];
      case 'layered': {
        const begin = position - (position % perLayer);
        return begin === 0 ? [] : someOf(begin - perLayer, begin, mostDependencies);
      }
      case 'random':
        return position === 0 ? [] : someOf(0, position, Math.floor(random() * (mostDependencies + 1)));
      default:
        return graph satisfies never;
    }
  });
}

/** Seconds that nothing could do it in less: of all work in all slots, or of the longest way through the graph. */
export function idealSeconds(edges: Edges, parallelLimit: number, stepMs: number): number {
  const depths: number[] = [];
  for (const dependencies of edges)
    depths.push(1 + Math.max(0, ...dependencies.map((position) => depths[position] ?? 0)));
  const longest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  return (Math.max(longest, edges.length / parallelLimit) * stepMs) / 1000;
}

const regions = ['tpe-1', 'nrt-1'] as const;

/** A batch file that creates a volume for each operation, in both regions by turns. */
export const batchFile = (name: string, edges: Edges, parallelLimit: number) => ({
  name,
  version: 1,
  parallelLimit,
  operations: edges.map((dependencies, position) => ({
    id: `v${position}`,
    type: 'volume.create',
    region: regions[position % regions.length],
    ...(dependencies.length > 0 ? { dependsOn: dependencies.map((dependency) => `v${dependency}`) } : {}),
    with: { name: `${name}-${position}`, sizeGib: 1 },
  })),
});
