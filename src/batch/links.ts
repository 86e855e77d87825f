import type { BatchOperationType } from '../domain/kinds.ts';
import type { Spelling } from './near.ts';
import { faultOfOutput } from './outputs.ts';
import type { Reference } from './template.ts';

interface Known {
  readonly type: BatchOperationType | undefined;
}

/** What references mean once groups are spread out. */
export class Links {
  readonly #groups: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #byId: ReadonlyMap<string, Known>;
  readonly #spelling: Spelling;
  /** Of every member of a group, and so worth asking once. */
  readonly #faultsOfAll = new Map<string, string | undefined>();

  constructor(
    groups: ReadonlyMap<string, ReadonlyMap<string, string>>,
    byId: ReadonlyMap<string, Known>,
    spelling: Spelling,
  ) {
    this.#groups = groups;
    this.#byId = byId;
    this.#spelling = spelling;
  }

  /** A reference to what a group's member gives, as one to the member. */
  follow({ operationId, path }: Reference): Reference {
    let id = operationId;
    const way = path.split('.');
    while (way.length > 1) {
      const member = this.#groups.get(id)?.get(way[0] ?? '');
      if (member === undefined) break;
      id = member;
      way.shift();
    }
    return { operationId: id, path: way.join('.') };
  }

  isGroup(id: string): boolean {
    return this.#groups.has(id);
  }

  /** Why there will be no such output of an operation that is there; undefined if there will. */
  faultOf(reference: Reference): string | undefined {
    const { operationId, path } = this.follow(reference);
    const members = this.#groups.get(operationId);
    if (!members) {
      const type = this.#byId.get(operationId)?.type;
      return type && faultOfOutput(type, path, this.#spelling);
    }
    const [key = '', ...rest] = path.split('.');
    if (key !== '*') {
      return members.has(key)
        ? undefined
        : this.#spelling.unknown('member', key, [...members.keys()], ` of the group "${operationId}"`);
    }
    return rest.length === 0 ? undefined : this.#faultOfAll(operationId, [...members.values()], rest.join('.'));
  }

  #faultOfAll(group: string, members: readonly string[], path: string): string | undefined {
    const asked = `${group} ${path}`;
    if (!this.#faultsOfAll.has(asked)) {
      let fault: string | undefined;
      for (const operationId of members) fault ??= this.faultOf({ operationId, path });
      this.#faultsOfAll.set(asked, fault);
    }
    return this.#faultsOfAll.get(asked);
  }
}
