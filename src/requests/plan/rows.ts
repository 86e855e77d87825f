import type { BatchFile, BatchOperation } from '../../batch/file.ts';
import { oldSuffix } from '../../batch/schedule.ts';
import type { There } from '../../db/queries/plan.ts';
import { kindOf } from '../../domain/kinds.ts';
import type { Decision, PlanAction } from './decision.ts';
import { usedBy } from './situation.ts';

/** An operation as the batch will have it: one of the file, or the deletion of what one of the file makes anew. */
export interface PlannedOperation {
  readonly operation: BatchOperation;
  readonly action: PlanAction;
  /** What it was decided by; of a replacement's deletion, the replacement's. */
  readonly decision: Decision;
  /** The operation that makes anew what this one deletes. */
  readonly replacedBy: string | undefined;
  /** What is there of what it is about. */
  readonly there: There | undefined;
}

const oldOf = (id: string): string => `${id}${oldSuffix}`;

/**
 * Each operation with what it waits for; before each that replaces, the one that deletes what it replaces. What is used
 * goes after what uses it: it could not be deleted before.
 */
export function plannedOperations(
  file: BatchFile,
  decisions: ReadonlyMap<string, Decision>,
): readonly PlannedOperation[] {
  const going = goingOf(decisions);
  const users = usersGoing(going);
  const awaited = new Set([...users.values()].flat());
  const late = dependants(file, [...users.keys()]);
  return file.operations.flatMap((operation): PlannedOperation[] => {
    const decision = decisions.get(operation.id);
    if (!decision) return [];
    const { action, there } = decision;
    const gone = users.get(operation.id) ?? [];
    const planned = { decision, action, there: action === 'replace' ? undefined : there, replacedBy: undefined };
    if (action !== 'replace' || !there) return [{ ...planned, operation: waitingFor(operation, gone) }];
    const old = deletionOf(operation, there, gone, awaited.has(oldOf(operation.id)) ? late : new Set());
    return [
      { operation: old, action: 'delete', decision, replacedBy: operation.id, there },
      { ...planned, operation: waitingFor(operation, [old.id]) },
    ];
  });
}

/** By the id of each resource that will be deleted, the operation that does so. */
function goingOf(decisions: ReadonlyMap<string, Decision>): ReadonlyMap<string, Going> {
  return new Map(
    [...decisions].flatMap(([id, { action, there }]) =>
      there && (action === 'delete' || action === 'replace')
        ? [[there.id, { id, there, deletion: action === 'replace' ? oldOf(id) : id }] as const]
        : [],
    ),
  );
}

interface Going {
  /** The operation of the file. */
  readonly id: string;
  readonly there: There;
  /** The operation that deletes. */
  readonly deletion: string;
}

/** By the operation that will delete what is used, the deletions of what uses it. */
function usersGoing(going: ReadonlyMap<string, Going>): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { there, deletion } of going.values()) {
    for (const { reference } of usedBy(there.requested)) {
      const used = going.get(reference);
      if (used) users.set(used.id, [...(users.get(used.id) ?? []), deletion]);
    }
  }
  return users;
}

/** These operations and all that wait for one of them, directly or not. */
function dependants({ operations }: BatchFile, ids: readonly string[]): ReadonlySet<string> {
  const waiting = new Map<string, string[]>();
  for (const { id, dependsOn, softDependsOn } of operations) {
    for (const dependency of [...dependsOn, ...softDependsOn])
      waiting.set(dependency, [...(waiting.get(dependency) ?? []), id]);
  }
  const reached = new Set(ids);
  for (const id of reached) for (const dependant of waiting.get(id) ?? []) reached.add(dependant);
  return reached;
}

/**
 * What deletes the old begins no earlier than the new could: an approval that the new waits for is for both. Only where
 * the end of something that the old uses waits for it, it cannot wait in turn for what is `late`: all that comes after
 * such an end.
 */
function deletionOf(
  { id, dependsOn, softDependsOn, type, ...operation }: BatchOperation,
  there: There,
  gone: readonly string[],
  late: ReadonlySet<string>,
): BatchOperation {
  const before = (ids: readonly string[]) => ids.filter((dependency) => !late.has(dependency));
  return {
    ...operation,
    id: oldOf(id),
    type: `${kindOf(type) ?? there.kind}.delete`,
    region: there.region,
    provider: there.provider,
    dependsOn: [...new Set([...before(dependsOn), ...gone])],
    softDependsOn: before(softDependsOn),
    with: { name: there.id },
  };
}

const waitingFor = (operation: BatchOperation, more: readonly string[]): BatchOperation =>
  more.length === 0 ? operation : { ...operation, dependsOn: [...new Set([...operation.dependsOn, ...more])] };
