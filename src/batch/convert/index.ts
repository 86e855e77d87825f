import { type Fault, MillwrightError } from '../../errors.ts';
import type { Path } from '../place.ts';
import type { Read } from '../read.ts';
import { formatOf, readSource } from '../source.ts';
import { readKcl } from './kcl.ts';
import { type Fields, isFields, listOf, nameFrom, pick, textOf, wholeOf, workflowIn } from './older.ts';
import { kindOf, type Leave, type Made, type Mapping, membersOf, noteRest } from './operations.ts';
import { comment, inline } from './output.ts';

export interface Converted {
  /** Our file, with a comment for each thing that could not be said. */
  readonly yaml: string;
  /** What could not be said, in the order of the older file. */
  readonly left: readonly { readonly line: number; readonly detail: string }[];
}

/** What an older tool's operation became; none where nothing could be made of it. */
interface Turned {
  readonly id: string;
  readonly path: Path;
  readonly fields: Fields;
  readonly made: readonly Made[];
  readonly comments: readonly string[];
}

/**
 * Turns the batch workflow of an older tool into a batch file: what can be said in it, and as comments what cannot.
 * Throws `invalid`, with places, where the file cannot be read or has no operations.
 */
export function convertBatch(text: string, file: string, mapping: Mapping): Converted {
  const source = file.endsWith('.k') ? readKcl(text) : readSource(text, formatOf(file));
  const workflow = workflowIn(source.value);
  if (source.faults.length > 0 || !workflow) throw unreadable(source);
  const left: { line: number; detail: string }[] = [];
  const leave: Leave = (path, detail) => left.push({ line: source.place(path, 'key').line, detail });
  const head = headOf(workflow.fields, workflow.path, leave);
  const turned = turn(workflow.fields, workflow.path, mapping, leave);
  const lines = [...head, 'operations:', ...operationLines(turned, leave)];
  return { yaml: `${lines.join('\n')}\n`, left: left.toSorted((a, b) => a.line - b.line) };
}

function unreadable({ faults }: Read): MillwrightError {
  const found: readonly Fault[] =
    faults.length > 0
      ? faults
      : [
          {
            pointer: '',
            detail: 'Expected a mapping with "operations", or one at "batch_workflow".',
            line: 1,
            column: 1,
          },
        ];
  const [first] = found;
  return new MillwrightError(
    'invalid',
    `The file cannot be converted: line ${first?.line}, column ${first?.column}: ${first?.detail}`,
    {
      faults: found,
    },
  );
}

const headFields = [
  'name',
  'workflow_id',
  'description',
  'version',
  'parallel_limit',
  'max_parallel_operations',
  'rollback_enabled',
  'storage_backend',
  'operations',
  'timeout',
  'global_timeout',
];

function headOf(fields: Fields, path: Path, leave: Leave): string[] {
  const given = textOf(pick(fields, 'name', 'workflow_id')?.value) ?? 'unnamed';
  const version = textOf(fields.version) ?? wholeOf(fields.version)?.toString();
  const major = wholeOf(version?.split('.')[0]);
  const limit = wholeOf(pick(fields, 'parallel_limit', 'max_parallel_operations')?.value);
  const timeout = wholeOf(pick(fields, 'timeout', 'global_timeout')?.value);
  noteRest(fields, path, headFields, leave);
  return [
    ...(textOf(fields.description) ? comment(textOf(fields.description) ?? '') : []),
    ...(fields.storage_backend === undefined
      ? []
      : comment(
          `storage_backend ${inline(fields.storage_backend)} is not needed: Millwright keeps everything in PostgreSQL.`,
        )),
    ...(nameFrom(given) === given ? [] : comment(`It was called ${inline(given)}.`)),
    `name: ${nameFrom(given)}`,
    ...(version && version !== String(major) ? comment(`It was version ${version}.`) : []),
    ...(major && major > 0 ? [`version: ${major}`] : []),
    ...(limit ? [`parallelLimit: ${Math.min(limit, 1000)}`] : []),
    ...(fields.rollback_enabled === undefined
      ? []
      : [`onFailure: ${fields.rollback_enabled === false ? 'keep' : 'rollback'}`]),
    ...(timeout ? [`timeout: ${timeout}`] : []),
  ];
}

function turn(workflow: Fields, before: Path, mapping: Mapping, leave: Leave): Turned[] {
  const used = new Set<string>();
  return listOf(workflow.operations).flatMap((value, at) => {
    const path = [...before, 'operations', at];
    if (!isFields(value)) {
      leave(path, 'an operation is a mapping');
      return [];
    }
    const id = textOf(pick(value, 'id', 'operation_id', 'name')?.value) ?? `operation-${at + 1}`;
    const comments: string[] = [];
    const kind = kindOf(value);
    const type = textOf(pick(value, 'type', 'operation_type')?.value) ?? 'no type';
    if (!kind) {
      const detail = `operation "${id}" (${type}) has no like in a batch file`;
      leave(path, detail);
      return [{ id, path, fields: value, made: [], comments: [detail, inline(value)] }];
    }
    const note: Leave = (where, detail) => {
      comments.push(`${id}: ${detail}`);
      leave(where, `operation "${id}": ${detail}`);
    };
    const memberLeave: Leave = (where, detail) => leave(where, `operation "${id}": ${detail}`);
    const made = membersOf(value, path, kind, mapping, { of: note, member: memberLeave }).map((one) => ({
      ...one,
      id: unique(one.id, used),
    }));
    return [{ id, path, fields: value, made, comments }];
  });
}

function unique(name: string, used: Set<string>): string {
  let id = name;
  for (let count = 2; used.has(id); count += 1) id = `${name.slice(0, 58)}-${count}`;
  used.add(id);
  return id;
}

const softTypes = ['soft', 'optional', 'weak'];

interface Dependency {
  readonly on: string;
  readonly soft: boolean;
}

function operationLines(turned: readonly Turned[], leave: Leave): string[] {
  const byId = new Map(turned.map((one) => [one.id, one]));
  const direct = new Map(turned.map((one) => [one, dependenciesOf(one, byId, leave)]));

  /** The operations of our file that stand for one; for one that none stands for, those that it waited for. */
  function standFor(id: string, seen: ReadonlySet<string>): string[] {
    const one = byId.get(id);
    if (!one || seen.has(id)) return [];
    if (one.made.length > 0) return one.made.map((made) => made.id);
    const further = new Set([...seen, id]);
    return (direct.get(one) ?? []).flatMap(({ on }) => standFor(on, further));
  }

  return turned.flatMap((one) => {
    const dependencies = direct.get(one) ?? [];
    const hard = new Set(dependencies.filter(({ soft }) => !soft).flatMap(({ on }) => standFor(on, new Set())));
    const soft = new Set(
      dependencies.filter((dependency) => dependency.soft).flatMap(({ on }) => standFor(on, new Set())),
    );
    const dependsOn = [...hard, ...[...soft].filter((id) => !hard.has(id)).map((id) => ({ id, soft: true }))];
    return [
      ...one.comments.flatMap((line) => comment(line, '  ')),
      ...one.made.flatMap((made) => madeLines(made, dependsOn)),
    ];
  });
}

function dependenciesOf({ id, path, fields }: Turned, byId: ReadonlyMap<string, Turned>, leave: Leave): Dependency[] {
  const list = pick(fields, 'dependencies', 'depends_on');
  return listOf(list?.value).flatMap((value, at) => {
    const where = [...path, list?.name ?? '', at];
    const on = isFields(value)
      ? textOf(pick(value, 'target_operation_id', 'operation_id', 'target', 'id')?.value)
      : textOf(value);
    if (!on || !byId.has(on)) {
      leave(where, `operation "${id}": there is no operation ${inline(on ?? value)} to wait for`);
      return [];
    }
    if (!isFields(value)) return [{ on, soft: false }];
    noteRest(value, where, ['target_operation_id', 'operation_id', 'target', 'id', 'dependency_type', 'type'], leave);
    const type = textOf(pick(value, 'dependency_type', 'type')?.value)?.toLowerCase() ?? 'hard';
    return [{ on, soft: softTypes.includes(type) }];
  });
}

function madeLines({ id, fields, comments }: Made, dependsOn: readonly unknown[]): string[] {
  const { type, provider, region, with: given, ...rest } = fields;
  const pairs = Object.entries({ type, provider, region, ...(dependsOn.length > 0 ? { dependsOn } : {}), ...rest });
  return [
    `  - id: ${id}`,
    ...pairs.flatMap(([name, value]) => (value === undefined ? [] : [`    ${name}: ${inline(value)}`])),
    '    with:',
    ...Object.entries(isFields(given) ? given : {}).map(([name, value]) => `      ${name}: ${inline(value)}`),
    ...comments.flatMap((line) => comment(line, '      ')),
  ];
}
