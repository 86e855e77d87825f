import { findCycles } from './graph.ts';
import type { Checking, Draft, Named } from './operation.ts';
import { faultOfOutput } from './outputs.ts';
import type { Path } from './place.ts';

/** What an operation waits for, by id, and where the file says so first. */
type Waits = Map<string, Path>;

interface Index {
  readonly byId: ReadonlyMap<string, Draft>;
  /** By kind and name. */
  readonly creators: ReadonlyMap<string, Draft>;
  readonly ids: readonly string[];
}

const nameKey = ({ kind, name }: Named): string => `${kind} ${name}`;

/**
 * What each operation waits for, in the order of the file: what it names, what it refers to, and what creates a
 * resource that it uses. Reports ids and names that are not there or there twice, and every cycle.
 */
export function dependenciesOf(drafts: readonly Draft[], checking: Checking): ReadonlyMap<Draft, readonly string[]> {
  const index = indexOf(drafts, checking);
  const waits = new Map(drafts.map((draft) => [draft, waitsOf(draft, index, checking)]));
  const position = (id: string): number => index.byId.get(id)?.position ?? 0;
  const dependencies = new Map(
    [...waits].map(([draft, waits]) => [
      draft,
      [...waits.keys()].sort((one, other) => position(one) - position(other)),
    ]),
  );
  const graph = [...index.byId].map(([id, draft]) => ({ id, dependsOn: dependencies.get(draft) ?? [] }));
  for (const cycle of findCycles(graph)) {
    const [first = '', second = ''] = [...cycle, ...cycle];
    const draft = index.byId.get(first);
    const at = draft && waits.get(draft)?.get(second);
    checking.report(
      at ?? [],
      `These operations wait for each other: ${[...cycle, first].join(' → ')}. Remove one of these dependencies.`,
    );
  }
  return dependencies;
}

function indexOf(drafts: readonly Draft[], { report, lineOf }: Checking): Index {
  const byId = new Map<string, Draft>();
  const creators = new Map<string, Draft>();
  for (const draft of drafts) {
    const { id, creates, at } = draft;
    const sameId = byId.get(id ?? '');
    if (sameId)
      report(
        [...at, 'id'],
        `The id "${id}" is taken by the operation in line ${lineOf([...sameId.at, 'id'])}. Each needs its own.`,
      );
    else if (id !== undefined) byId.set(id, draft);
    if (!creates) continue;
    const sameName = creators.get(nameKey(creates))?.creates;
    if (sameName)
      report(
        creates.at,
        `The ${creates.kind} "${creates.name}" is created in line ${lineOf(sameName.at)} as well. Each needs its own name.`,
      );
    else creators.set(nameKey(creates), draft);
  }
  return { byId, creators, ids: [...byId.keys()] };
}

function waitsOf(draft: Draft, { byId, creators, ids }: Index, { report, spelling }: Checking): Waits {
  const waits: Waits = new Map();
  const wait = (id: string, at: Path): Draft | undefined => {
    const dependency = byId.get(id);
    if (!dependency) report(at, spelling.unknown('operation', id, ids));
    else if (id === draft.id) report(at, `Operation "${id}" depends on itself.`);
    else if (!waits.has(id)) waits.set(id, at);
    return dependency;
  };
  for (const { id, at } of draft.dependsOn) wait(id, at);
  for (const { operationId, path, at } of draft.references) {
    const type = wait(operationId, at)?.type;
    const fault = type && faultOfOutput(type, path, spelling);
    if (fault) report(at, fault);
  }
  for (const used of draft.uses) {
    const creator = creators.get(nameKey(used));
    if (creator?.id === undefined || creator.id === draft.id) continue;
    if (used.deletes && waitsFor(creator, draft)) continue;
    wait(creator.id, used.at);
    if (
      !used.deletes &&
      creator.region !== undefined &&
      draft.region !== undefined &&
      creator.region !== draft.region
    ) {
      report(
        used.at,
        `The ${used.kind} "${used.name}" is created in region "${creator.region}", not in "${draft.region}".`,
      );
    }
  }
  return waits;
}

/**
 * Whether one names the other as a dependency of its own. What creates a name anew once another has deleted it does:
 * then the delete means what was there before, and cannot wait for what comes after.
 */
function waitsFor(one: Draft, other: Draft): boolean {
  const named = [...one.dependsOn.map(({ id }) => id), ...one.references.map(({ operationId }) => operationId)];
  return named.some((id) => id === other.id);
}
