import type { BatchFile, BatchOperation } from '../../batch/file.ts';
import { waitingGraph } from '../../batch/forecast.ts';
import { topologicalOrder } from '../../batch/graph.ts';
import type { There } from '../../db/queries/plan.ts';
import { type ActType, isActType, kindOf, type ResourceKind } from '../../domain/kinds.ts';
import { overlaps } from '../../domain/overlap.ts';
import { MillwrightError } from '../../errors.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import type { Catalog } from '../catalog.ts';
import { planAct } from './act.ts';
import { compareUpdate } from './compare-update.ts';
import { decideCreate } from './create.ts';
import { type Decision, type PlanFault, Refusal } from './decision.ts';
import { outputsAfter } from './outputs.ts';
import { knownOutputs, type Outputs, type Resolved, resolveKnown } from './resolve.ts';
import type { NamedResource, Situation } from './situation.ts';
import { runsAtAll } from './waits.ts';

export interface Deciding {
  readonly catalog: Catalog;
  readonly sealer: Sealer;
  readonly situation: Situation;
}

export interface Decided {
  /** By operation, in the order of the file; without those that have a fault. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** By operation. */
  readonly faults: ReadonlyMap<string, readonly PlanFault[]>;
}

const keyOf = ({ kind, reference }: NamedResource): string => `${kind}/${reference}`;

/** Decides what each operation will do, each after all that it waits for: what these will do may change what it does. */
export async function decideAll(deciding: Deciding, file: BatchFile): Promise<Decided> {
  const byId = new Map(file.operations.map((operation) => [operation.id, operation]));
  const walk = new Walk(deciding, file, byId);
  for (const id of topologicalOrder(waitingGraph(file.operations))) {
    const operation = byId.get(id);
    if (operation) await walk.decide(operation);
  }
  const decisions = runsAtAll(file.operations, walk.decisions);
  const inOrder = file.operations.flatMap(({ id }) => {
    const decision = decisions.get(id);
    return decision ? [[id, decision] as const] : [];
  });
  return { decisions: new Map(inOrder), faults: walk.faults };
}

class Walk {
  readonly decisions = new Map<string, Decision>();
  readonly faults = new Map<string, readonly PlanFault[]>();
  readonly #deciding: Deciding;
  readonly #file: BatchFile;
  readonly #byId: ReadonlyMap<string, BatchOperation>;
  readonly #outputs = new Map<string, Outputs>();
  /** Resources that acts are about. */
  readonly #acted = new Set<string>();
  /** By kind and name, of what the file makes. */
  readonly #made = new Map<string, Decision>();
  /** By the id of what is there. */
  readonly #remade = new Map<string, Decision>();
  readonly #deleted = new Map<string, Decision>();

  constructor(deciding: Deciding, file: BatchFile, byId: ReadonlyMap<string, BatchOperation>) {
    this.#deciding = deciding;
    this.#file = file;
    this.#byId = byId;
  }

  async decide(operation: BatchOperation): Promise<void> {
    try {
      const resolved = resolveKnown(operation.with, (id) => this.#outputs.get(id), this.#file.secrets);
      const decision = await this.#decisionOn(operation, resolved);
      this.decisions.set(operation.id, decision);
      this.#remember(decision);
      this.#refuse(decision);
    } catch (error) {
      this.faults.set(operation.id, faultsOf(error));
      // What depends on it is not to be faulted for that.
      if (!this.#outputs.has(operation.id))
        this.#outputs.set(operation.id, { known: knownOutputs(operation, (id) => this.#byId.get(id)), rest: 'run' });
    }
  }

  async #decisionOn(operation: BatchOperation, resolved: Resolved): Promise<Decision> {
    const kind = kindOf(operation.type);
    if (!kind) return { operation, action: 'run', differences: [], reasons: [] };
    const { name } = resolved.fields;
    const named = typeof name === 'string' ? { kind, reference: name } : undefined;
    const there = named && this.#thereFor(operation, named);
    const { type } = operation;
    if (isActType(type)) return await this.#decideAct(operation, type, kind, resolved, named, there);
    if (operation.type.endsWith('.create')) return await decideCreate(this.#creating, operation, kind, resolved, there);
    if (operation.type.endsWith('.update')) return this.#decideUpdate(operation, kind, resolved, named, there);
    return this.#decideDelete(operation, named, there);
  }

  get #creating() {
    return {
      ...this.#deciding,
      madeAs: (named: NamedResource) => this.#made.get(keyOf(named)),
      remaking: (id: string) => this.#remade.get(id),
    };
  }

  /** What is there under a name, unless the file will have deleted it by the time of this operation. */
  #thereFor(operation: BatchOperation, named: NamedResource): There | undefined {
    const there = this.#deciding.situation.find(named);
    const deletion = there && this.#deleted.get(there.id);
    return deletion && this.#waitsFor(operation, deletion.operation.id) ? undefined : there;
  }

  #waitsFor(operation: BatchOperation, id: string): boolean {
    const seen = new Set<string>();
    const left = [operation];
    for (let one = left.pop(); one; one = left.pop()) {
      for (const dependency of [...one.dependsOn, ...one.softDependsOn]) {
        if (dependency === id) return true;
        const next = this.#byId.get(dependency);
        if (!next || seen.has(dependency)) continue;
        seen.add(dependency);
        left.push(next);
      }
    }
    return false;
  }

  #decideUpdate(
    operation: BatchOperation,
    kind: ResourceKind,
    resolved: Resolved,
    named: NamedResource | undefined,
    there: There | undefined,
  ): Decision {
    const made = named && this.#made.get(keyOf(named));
    const name = there?.name ?? made?.name;
    if (named && !there && !made) {
      const detail = `There is no ${kind} "${named.reference}" in this project, and the file makes none before.`;
      throw new Refusal({ code: 'not_found', pointer: '/with/name', detail });
    }
    if (there?.currentJobId && !overlaps(kind, there.status, 'update')) throw busy(kind, there);
    if (!there || (made && made.action !== 'none'))
      return {
        operation,
        action: 'change',
        name,
        there,
        differences: [],
        reasons: ['what it changes is made or changed before'],
      };
    const differences = compareUpdate(there, resolved);
    return { operation, action: differences.length > 0 ? 'change' : 'none', name, there, differences, reasons: [] };
  }

  /** What it is about may be made, or asked for something else, before: then only its turn tells. */
  async #decideAct(
    operation: BatchOperation,
    type: ActType,
    kind: ResourceKind,
    resolved: Resolved,
    named: NamedResource | undefined,
    there: There | undefined,
  ): Promise<Decision> {
    const made = named && this.#made.get(keyOf(named));
    const name = there?.name ?? made?.name;
    const decision = { operation, action: 'change' as const, name, there };
    if (named && !there && !made) {
      const detail = `There is no ${kind} "${named.reference}" in this project, and the file makes none before.`;
      throw new Refusal({ code: 'not_found', pointer: '/with/name', detail });
    }
    if (there?.currentJobId) throw busy(kind, there);
    const later = (reason: string): Decision => ({ ...decision, differences: [], reasons: [reason] });
    if (!there || (made && made.action !== 'none')) return later('what it is about is made or changed before');
    if (this.#acted.has(there.id)) return later('another operation is about the same before');
    if (resolved.unknown.size > 0) return later('what it asks for is known after apply');
    const { situation, catalog } = this.#deciding;
    return await planAct({ decision, type, resolved, there, situation, catalog });
  }

  #decideDelete(operation: BatchOperation, named: NamedResource | undefined, there: There | undefined): Decision {
    const made = named && this.#made.get(keyOf(named));
    const name = there?.name ?? named?.reference;
    const nothing = named !== undefined && !there && !made;
    if (there?.currentJobId) throw busy(there.kind, there);
    return { operation, action: nothing ? 'none' : 'delete', name, there, differences: [], reasons: [] };
  }

  #remember(decision: Decision): void {
    const { operation, action, there, name } = decision;
    const kind = kindOf(operation.type);
    if (kind && name !== undefined && operation.type.endsWith('.create'))
      this.#made.set(keyOf({ kind, reference: name }), decision);
    if (there && action === 'change' && isActType(operation.type)) this.#acted.add(there.id);
    if (there && action === 'replace') this.#remade.set(there.id, decision);
    if (there && action === 'delete') this.#deleted.set(there.id, decision);
    const view = there && this.#deciding.situation.view(there.id);
    this.#outputs.set(operation.id, outputsAfter(decision, view, this.#outputs, this.#byId));
  }

  /** Protection keeps from deleting and from making anew, and so does the file where it says so. */
  #refuse({ operation, action, there, differences, reasons }: Decision): void {
    if (!there || (action !== 'replace' && action !== 'delete')) return;
    const faults: PlanFault[] = [];
    const what = `${there.kind} "${there.name}"`;
    const why = [...differences.filter(({ replaces }) => replaces).map(({ field }) => field), ...reasons].join(', ');
    if (there.deletionProtection) {
      const deed = action === 'replace' ? `would be replaced (${why})` : 'would be deleted';
      faults.push({
        code: 'conflict',
        pointer: '/with/name',
        detail: `${what} ${deed}, and is protected against deletion. Take the protection off first: "millwright ${there.kind} update ${there.name} --no-deletion-protection".`,
      });
    }
    if (action === 'replace' && (operation.replace ?? this.#file.replace) === 'forbid') {
      faults.push({
        code: 'conflict',
        pointer: '/with',
        detail: `${what} is not as the file says (${why}), which cannot be changed in place; and "replace: forbid" keeps it from being replaced. Allow it, or give the operation another name.`,
      });
    }
    if (faults.length > 0) throw new Refusal(...faults);
  }
}

const busy = (kind: string, { name, status, currentJobId }: There): Refusal =>
  new Refusal({
    code: 'conflict',
    pointer: '/with/name',
    detail: `${kind} "${name}" is ${status}; job ${currentJobId} is at work on it. Wait until it has ended, then apply the file again.`,
    jobId: currentJobId ?? undefined,
  });

function faultsOf(error: unknown): readonly PlanFault[] {
  if (error instanceof Refusal) return error.faults;
  if (!(error instanceof MillwrightError)) throw error;
  return [{ code: error.code, pointer: '/with', detail: error.message }];
}
