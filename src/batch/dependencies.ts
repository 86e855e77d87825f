import { type Checking, TooLarge } from './checking.ts';
import type { BatchOperation } from './file.ts';
import { findCycles } from './graph.ts';
import { Links } from './links.ts';
import type { Draft, Named } from './operation.ts';
import type { Where } from './report.ts';
import type { Spread } from './spread.ts';
import type { Reference } from './template.ts';

/** What an operation waits for, by id; where the files say so first; whether it can do without. */
type Waiting = Map<string, { readonly at: Where; readonly soft: boolean }>;

/** More than this and no order of them is ready in time. */
const mostDependencies = 500_000;

interface Index {
  readonly byId: ReadonlyMap<string, Draft>;
  readonly positions: ReadonlyMap<string, number>;
  /** By kind and name. */
  readonly creators: ReadonlyMap<string, Draft>;
  /** By what stands before them. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly links: Links;
}

export type Dependencies = Pick<BatchOperation, 'dependsOn' | 'softDependsOn'>;

const nameKey = ({ kind, name }: Named): string => `${kind} ${name}`;

/**
 * What each operation waits for, in the order of the file: what it names, what it refers to or looks at, and what
 * creates a resource that it uses. Reports ids and names that are not there or there twice, and every cycle.
 */
export function dependenciesOf(
  { drafts, groups, names }: Spread,
  checking: Checking,
): { readonly of: ReadonlyMap<Draft, Dependencies>; readonly follow: (reference: Reference) => Reference } {
  const index = indexOf(drafts, groups, names, checking);
  let left = mostDependencies;
  const waits = new Map(
    drafts.map((draft) => {
      const waiting = waitsOf(draft, index, checking);
      left -= waiting.size;
      if (left < 0) {
        checking.report.tell(
          { source: draft.at.source, path: draft.at.path },
          `With this the operations have more than ${mostDependencies} dependencies. Put a group or a wait between them.`,
        );
        throw new TooLarge();
      }
      return [draft, waiting] as const;
    }),
  );
  reportCycles(waits, index, checking);
  const position = (id: string): number => index.positions.get(id) ?? 0;
  const ordered = (waiting: Waiting, soft: boolean): string[] =>
    [...waiting.keys()]
      .filter((id) => waiting.get(id)?.soft === soft)
      .sort((one, other) => position(one) - position(other));
  return {
    of: new Map(
      [...waits].map(([draft, waiting]) => [
        draft,
        { dependsOn: ordered(waiting, false), softDependsOn: ordered(waiting, true) },
      ]),
    ),
    follow: (reference) => index.links.follow(reference),
  };
}

function reportCycles(waits: ReadonlyMap<Draft, Waiting>, { byId }: Index, { report }: Checking): void {
  const graph = [...byId].map(([id, draft]) => ({ id, dependsOn: [...(waits.get(draft)?.keys() ?? [])] }));
  for (const cycle of findCycles(graph)) {
    const [first = '', second = ''] = [...cycle, ...cycle];
    const draft = byId.get(first);
    const at = draft && waits.get(draft)?.get(second)?.at;
    if (!at) continue;
    report.tell(
      { source: at.source, path: at.path },
      `These operations wait for each other: ${[...cycle, first].join(' → ')}. Remove one of these dependencies.`,
    );
  }
}

function indexOf(
  drafts: readonly Draft[],
  groups: Spread['groups'],
  names: Spread['names'],
  { report, spelling }: Checking,
): Index {
  const byId = new Map<string, Draft>();
  const positions = new Map<string, number>();
  const creators = new Map<string, Draft>();
  for (const [position, draft] of drafts.entries()) {
    const { id, creates } = draft;
    if (id !== undefined) byId.set(id, draft);
    if (id !== undefined) positions.set(id, position);
    if (!creates) continue;
    const same = creators.get(nameKey(creates));
    if (!same?.creates) creators.set(nameKey(creates), draft);
    else
      report.tell(
        creates.at,
        `The ${creates.kind} "${creates.name}" is created ${whereElse(same, creates.at)} as well. Each needs its own name.`,
      );
  }
  function whereElse({ id, creates }: Draft, at: Where): string {
    const isSame = creates?.at.source === at.source && creates.at.path.join() === at.path.join();
    return isSame || !creates ? `by "${id}"` : `in ${report.lineOf(creates.at)}`;
  }
  return { byId, positions, creators, names, links: new Links(groups, byId, spelling) };
}

function waitsOf(draft: Draft, index: Index, checking: Checking): Waiting {
  const { report } = checking;
  const { links, creators } = index;
  const waiting: Waiting = new Map();
  const wait = (id: string, at: Where, soft: boolean): boolean => {
    if (!index.byId.has(id)) tellUnknown(id, at, index, checking);
    else if (id === draft.id) report.tell(at, `Operation "${id}" depends on itself.`);
    else if (!waiting.has(id) || (!soft && waiting.get(id)?.soft))
      waiting.set(id, { at: waiting.get(id)?.at ?? at, soft });
    return index.byId.has(id);
  };
  for (const { id, at, soft } of draft.dependsOn) wait(id, at, soft);
  for (const { at, ...reference } of draft.references) {
    const fault = index.byId.has(reference.operationId) ? links.faultOf(reference) : undefined;
    if (fault !== undefined) report.tell(at, fault);
    else wait(links.follow(reference).operationId, at, false);
  }
  for (const { id, stateOnly, output, at } of draft.looks) {
    if (stateOnly && waiting.has(id)) continue;
    const isThere = wait(id, at, stateOnly);
    const fault = isThere && output.length > 0 ? links.faultOf({ operationId: id, path: output.join('.') }) : undefined;
    if (fault !== undefined) report.tell(at, fault);
  }
  for (const used of draft.uses) {
    const creator = creators.get(nameKey(used));
    if (creator?.id === undefined || creator.id === draft.id) continue;
    if (used.deletes && waitsFor(creator, draft)) continue;
    wait(creator.id, used.at, false);
    if (
      !used.deletes &&
      creator.region !== undefined &&
      draft.region !== undefined &&
      creator.region !== draft.region
    ) {
      report.tell(
        used.at,
        `The ${used.kind} "${used.name}" is created in region "${creator.region}", not in "${draft.region}".`,
      );
    }
  }
  return waiting;
}

/** What is there and has a fault that makes it no operation is not unknown. */
function tellUnknown(id: string, at: Where, { names }: Index, { spelling, report }: Checking): void {
  let prefix = '';
  for (const candidate of names.keys())
    if (id.startsWith(candidate) && candidate.length > prefix.length) prefix = candidate;
  const known = names.get(prefix) ?? [];
  const name = id.slice(prefix.length);
  if (!known.includes(name)) report.tell(at, spelling.unknown('operation', name, known));
}

/**
 * Whether one names the other as a dependency of its own. What creates a name anew once another has deleted it does:
 * then the delete means what was there before, and cannot wait for what comes after.
 */
function waitsFor(one: Draft, other: Draft): boolean {
  const named = [...one.dependsOn.map(({ id }) => id), ...one.references.map(({ operationId }) => operationId)];
  return named.some((id) => id === other.id);
}
