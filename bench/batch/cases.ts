import { graphNames } from './graphs.ts';
import type { Work } from './run.ts';

const operationsOf = { independent: 1000, layered: 1000, chain: 100, random: 1000 } as const;

/** The case that K1 is about, and what is compared with it. */
export const short: Work = { graph: 'independent', operations: 1000, stepMs: 50, parallelLimit: 100 };
export const long: Work = { ...short, stepMs: 1000 };
/** K2's: the same at ten times the size. */
export const wide: Work = { ...short, parallelLimit: 1000 };
export const large: Work = { ...wide, operations: 10_000 };

/** Beside those: every other graph, of short operations. */
export const standard: readonly Work[] = (['layered', 'chain', 'random'] as const).map((graph) => ({
  ...short,
  graph,
  operations: operationsOf[graph],
}));

const isSame = (one: Work, other: Work): boolean =>
  one.graph === other.graph && one.stepMs === other.stepMs && one.parallelLimit === other.parallelLimit;

/** Every graph, operation time and limit that the standard set leaves out. A chain is the same whatever the limit. */
export const remaining: readonly Work[] = graphNames
  .flatMap((graph) =>
    [50, 1000].flatMap((stepMs) =>
      (graph === 'chain' ? [100] : [10, 100, 1000]).map((parallelLimit) => ({
        ...{ graph, operations: operationsOf[graph] },
        ...{ stepMs, parallelLimit },
      })),
    ),
  )
  .filter((work) => ![short, long, wide, ...standard].some((other) => isSame(work, other)));
