import { type Checking, TooLarge, tellAll } from './checking.ts';
import { type Each, fileSchema, mostOperations, operationSchema } from './file.ts';
import { membersOf } from './for-each.ts';
import { found, problemsOf } from './issues.ts';
import { nestedIn } from './nested.ts';
import {
  type At,
  type Draft,
  type Fields,
  type Given,
  namesIn,
  type Policy,
  policyOf,
  readFields,
  referencesOf,
  right,
  type Waits,
} from './operation.ts';
import { type Where, within } from './report.ts';
import { type Scope, substitute } from './substitute.ts';
import { type Given as GivenValues, readVariables } from './variables.ts';
import { conditionOf, readWhen, type When } from './when.ts';

/** A batch, or one that lies in another, as far as its operations need it. */
export interface Batch {
  readonly at: Where;
  readonly scope: Scope;
  /** What its operations take on where they say none. */
  readonly policy: Policy;
  /** What all of its operations wait for as well. */
  readonly waits: Waits;
  /** The files that it lies in, from the outermost that another names. */
  readonly files: readonly string[];
  readonly depth: number;
}

export interface Header {
  readonly data: Omit<ReturnType<typeof fileSchema.parse>, 'variables' | 'operations'> | undefined;
  /** As written, variables in their places. */
  readonly fields: Given;
}

export const nothing: Waits = { dependsOn: [], conditions: [], looks: [] };

/** The operations of a batch with its groups spread out, members before the end of their group. */
export class Spread {
  readonly drafts: Draft[] = [];
  readonly limits: Record<string, number> = {};
  /** By a group's id: its members' ids by key, in the order of the file. */
  readonly groups = new Map<string, Map<string, string>>();
  /** By what stands before them: the ids of a batch's own operations. */
  readonly names = new Map<string, string[]>();
  readonly #checking: Checking;
  #operations = 0;
  #groups = 0;

  constructor(checking: Checking) {
    this.#checking = checking;
  }

  /** Reads a batch's variables and what it says of itself; undefined where it is none. */
  readHeader(
    value: unknown,
    at: Where,
    prefix: string,
    given: GivenValues,
  ): { header: Header; scope: Scope } | undefined {
    const { report, spelling } = this.#checking;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      report.tell(at, `Expected a mapping with "name" and "operations"; found ${found(value)}.`);
      return undefined;
    }
    const { variables: declared, operations, ...own }: Given = { ...value };
    const variables = readVariables(declared, within(at, 'variables'), given, this.#checking);
    const scope = { prefix, variables };
    const fields: Given = Object(substitute(own, scope, at, this.#checking));
    const schema = prefix === '' ? fileSchema : fileSchema.partial({ name: true });
    const whole = { ...fields, ...('variables' in value && { variables: declared }), operations };
    tellAll(problemsOf(schema, whole, spelling), at, report);
    return { header: { data: fileSchema.safeParse({ ...whole, operations: [0] }).data, fields }, scope };
  }

  /** Adds a batch's operations. */
  add(operations: unknown, batch: Batch): ReadonlyMap<string, string> {
    const members = new Map<string, string>();
    if (!Array.isArray(operations) || operations.length > mostOperations) return members;
    const { prefix } = batch.scope;
    const lines = new Map<string, Where>();
    const names: string[] = [];
    this.names.set(prefix, names);
    for (const [position, raw] of operations.entries()) {
      const at = within(batch.at, 'operations', position);
      const name = right(operationSchema.shape.id, Object(raw).id);
      const taken = name === undefined ? undefined : lines.get(name);
      if (taken) {
        const { report } = this.#checking;
        report.tell(
          within(at, 'id'),
          `The id "${name}" is taken by the operation in ${report.lineOf(taken)}. Each needs its own.`,
        );
      } else if (name !== undefined) {
        lines.set(name, within(at, 'id'));
        names.push(name);
        members.set(name, prefix + name);
      }
      this.#addOperation(raw, taken ? undefined : name, at, batch);
    }
    return members;
  }

  #addOperation(raw: unknown, name: string | undefined, at: Where, batch: Batch): void {
    const checking = this.#checking;
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      this.#count(at, 'operation');
      tellAll(problemsOf(operationSchema, raw, checking.spelling), at, checking.report);
      return;
    }
    const fields: Given = { ...raw };
    const id = name === undefined ? undefined : batch.scope.prefix + name;
    const isGroup = fields.forEach !== undefined;
    const expression = right(operationSchema.shape.when, fields.when);
    const when =
      expression === undefined ? undefined : readWhen(expression, batch.scope, isGroup, within(at, 'when'), checking);
    if (isGroup) this.#addGroup(fields, id, at, batch, when);
    else this.#addMember(fields, id, at, batch, when);
  }

  #addGroup(fields: Given, id: string | undefined, at: Where, batch: Batch, when: When | undefined): void {
    const checking = this.#checking;
    const members = membersOf(fields.forEach, batch.scope, within(at, 'forEach'), checking);
    for (const each of members) {
      const member = id === undefined ? each.key : `${id}/${each.key}`;
      this.#addMember(fields, id && member, { ...at, member }, batch, when, each);
    }
    if (id === undefined) return;
    const limit = right(
      operationSchema.shape.limit,
      substitute(fields.limit, batch.scope, within(at, 'limit'), checking),
    );
    const keys = new Map(members.map(({ key }) => [key, `${id}/${key}`]));
    this.#endGroup(
      id,
      keys,
      at,
      this.#waitsOf(fields, at, batch, when?.readsEach ? undefined : when, batch.scope),
      limit,
    );
  }

  #addMember(raw: Given, id: string | undefined, at: Where, batch: Batch, when: When | undefined, each?: Each): void {
    const scope = each ? { ...batch.scope, each } : batch.scope;
    const isNested = raw.type === 'batch.apply';
    this.#count(at, isNested ? 'group' : 'operation');
    const fields = readFields(raw, scope, at, this.#checking);
    const waits = this.#waitsOf(raw, at, batch, when, scope);
    if (raw.limit !== undefined && !each && !isNested)
      this.#checking.report.tell(
        within(at, 'limit'),
        '"limit" is of a group: an operation with "forEach", or a batch.apply. Remove it.',
        'key',
      );
    if (isNested) this.#addNested(id, fields, at, batch, waits, each !== undefined);
    else this.#addSingle(id, fields, at, batch, waits);
  }

  #addSingle(id: string | undefined, fields: Fields, at: Where, batch: Batch, waits: Waits): void {
    const { type, region, provider, with: given } = fields;
    if (type === 'batch.apply') return;
    const inWith = within(at, 'with');
    this.drafts.push({
      at,
      id,
      type,
      region,
      provider,
      with: given,
      policy: { ...batch.policy, ...fields.policy },
      ...waits,
      references: [...referencesOf(given, inWith), ...referencesOfConditions(waits, at)],
      ...(type ? namesIn(type, given, inWith) : { creates: undefined, uses: [] }),
    });
  }

  #addNested(id: string | undefined, fields: Fields, at: Where, batch: Batch, waits: Waits, inForEach: boolean): void {
    const nested = nestedIn(fields.with, at, batch, this.#checking);
    if (!nested) return;
    const prefix = `${id ?? 'nameless'}/`;
    const read = this.readHeader(nested.value, nested.at, prefix, nested.given);
    if (!read) return;
    const { header, scope } = read;
    const members = this.add(Object(nested.value).operations, {
      ...nested,
      scope,
      policy: { ...batch.policy, ...fields.policy, ...policyOf({ ...header.fields, timeout: undefined }) },
      waits,
    });
    if (id === undefined) return;
    const own = right(fileSchema.shape.parallelLimit, header.fields.parallelLimit);
    const limits = [own, inForEach ? undefined : fields.limit].filter((limit) => limit !== undefined);
    const passed = { ...waits, references: referencesOf(fields.with.variables, within(at, 'with', 'variables')) };
    this.#endGroup(id, members, at, passed, limits.length > 0 ? Math.min(...limits) : undefined);
  }

  /** The end of a group waits for its members; where it has none, for what they would have waited for. */
  #endGroup(
    id: string,
    members: ReadonlyMap<string, string>,
    at: Where,
    waits: Waits & { readonly references?: Draft['references'] },
    limit: number | undefined,
  ): void {
    this.#count(at, 'group');
    if (limit !== undefined) this.limits[id] = limit;
    this.groups.set(id, new Map(members));
    const ends = [...members.values()].map((member) => ({ id: member, soft: false, at }));
    this.drafts.push({
      at,
      id,
      type: 'group.join',
      region: undefined,
      provider: undefined,
      with: {},
      policy: {},
      dependsOn: ends.length > 0 ? ends : waits.dependsOn,
      conditions: waits.conditions,
      looks: waits.looks,
      references: [...(waits.references ?? []), ...referencesOfConditions(waits, at)],
      creates: undefined,
      uses: [],
    });
  }

  #waitsOf(raw: Given, at: Where, batch: Batch, when: When | undefined, scope: Scope): Waits {
    const { prefix } = scope;
    const inWhen = within(at, 'when');
    const own = dependenciesIn(raw.dependsOn, within(at, 'dependsOn')).map((one) => ({ ...one, id: prefix + one.id }));
    const looks = (when?.looks ?? []).map((look) => ({ ...look, id: prefix + look.id, at: inWhen }));
    return {
      dependsOn: [...batch.waits.dependsOn, ...own],
      conditions: [...batch.waits.conditions, ...(when ? [conditionOf(when, scope, inWhen, this.#checking)] : [])],
      looks: [...batch.waits.looks, ...looks],
    };
  }

  #count(at: Where, what: 'operation' | 'group'): void {
    if (what === 'operation') this.#operations += 1;
    else this.#groups += 1;
    if (this.#operations <= mostOperations && this.#groups <= mostOperations) return;
    const { member: _, ...where } = at;
    this.#checking.report.tell(
      where,
      `With this the batch has more than ${mostOperations} ${what}s. Split it into several batches.`,
    );
    throw new TooLarge();
  }
}

/** Outputs that stand behind the variables that conditions look at. */
const referencesOfConditions = ({ conditions }: Waits, at: Where): Draft['references'] =>
  conditions.flatMap(({ variables, each }) => referencesOf([variables, each?.value], within(at, 'when')));

function dependenciesIn(list: unknown, at: Where): At<{ readonly id: string; readonly soft: boolean }>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) => {
    const id: unknown = typeof entry === 'string' ? entry : Object(entry).id;
    return typeof id === 'string' ? [{ id, soft: Object(entry).soft === true, at: within(at, index) }] : [];
  });
}
