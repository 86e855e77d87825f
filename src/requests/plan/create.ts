import type { BatchOperation } from '../../batch/file.ts';
import type { There } from '../../db/queries/plan.ts';
import type { Known } from '../../db/queries/resources.ts';
import type { ResourceKind } from '../../domain/kinds.ts';
import { usableStates } from '../../domain/life.ts';
import { MillwrightError } from '../../errors.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { veiled } from '../../secrets/specs.ts';
import type { Catalog } from '../catalog.ts';
import { createOf, type Prepared, prepare } from '../prepare.ts';
import { compareFields } from './compare.ts';
import { type Decision, Refusal } from './decision.ts';
import type { Resolved } from './resolve.ts';
import { type NamedResource, type Situation, usedBy } from './situation.ts';

interface Creating {
  readonly catalog: Catalog;
  readonly sealer: Sealer;
  readonly situation: Situation;
  /** What the file makes, or makes anew, under a name; decided before what uses it. */
  readonly madeAs: (named: NamedResource) => Decision | undefined;
  /** The decision to make anew the resource that has this id. */
  readonly remaking: (id: string) => Decision | undefined;
}

/** Decides on an operation that is to make a resource; `there`: one that has its name already. */
export async function decideCreate(
  creating: Creating,
  operation: BatchOperation,
  kind: ResourceKind,
  resolved: Resolved,
  there: There | undefined,
): Promise<Decision> {
  const { name } = resolved.fields;
  const decision = { operation, name: typeof name === 'string' ? name : undefined, differences: [], reasons: [] };
  const prepared = preparedFor(creating, operation, kind, resolved, there);
  const offered = prepared && offeredBy(creating.catalog, prepared);
  if (!there) return { ...decision, action: 'create', quota: prepared?.quota, offered };
  if (there.currentJobId) {
    throw new Refusal({
      code: 'conflict',
      pointer: '/with/name',
      detail: `${kind} "${there.name}" is ${there.status}; job ${there.currentJobId} is at work on it. Wait until it has ended, then apply the file again.`,
      jobId: there.currentJobId,
    });
  }
  const wanted = prepared?.requested ?? there.requested;
  const differences = compareFields({
    there,
    wanted,
    veiled: Object(await veiled(creating.sealer, kind, wanted)),
    unknown: resolved.unknown,
    nameOf: (used) => creating.situation.find(used)?.name ?? newName(used.reference),
  });
  const reasons = [
    ...(there.status === 'error' ? ['its status is error'] : []),
    ...usedBy(there.requested).flatMap(({ kind: usedKind, reference }) =>
      creating.remaking(reference)
        ? [`it uses the ${usedKind} "${creating.remaking(reference)?.name}", which is replaced`]
        : [],
    ),
  ];
  const anew = reasons.length > 0 || differences.some(({ replaces }) => replaces !== null);
  const action = anew ? 'replace' : differences.length > 0 ? 'change' : 'none';
  const quota = anew ? prepared?.quota : undefined;
  return { ...decision, action, there, differences, reasons, quota, offered };
}

/** The id of what is not there yet. */
const newId = (name: string): string => `new:${name}`;
const newName = (id: string): string | undefined => (id.startsWith('new:') ? id.slice('new:'.length) : undefined);

/** What stands in for a field that is not known before; what is not here leaves the quota unknown. */
const standIns = (catalog: Catalog): Readonly<Record<string, unknown>> => ({
  name: 'known-after-apply',
  image: catalog.images[0],
  cidr: '10.0.0.0/24',
  labels: {},
  deletionProtection: false,
  maintainer: null,
  sshKeys: [],
  userData: '',
  networks: [],
  volumes: [],
});

/** The create with all its names found; undefined where what is not known yet says how large it will be. */
function preparedFor(
  { catalog, situation, madeAs }: Creating,
  operation: BatchOperation,
  kind: ResourceKind,
  { fields, unknown }: Resolved,
  there: There | undefined,
): Prepared | undefined {
  const stands = { ...standIns(catalog), ...(there ? sizesOf(there) : {}) };
  const missing = [...unknown.keys()].filter((field) => stands[field] === undefined);
  if (missing.length > 0) return undefined;
  const whole = { ...Object.fromEntries([...unknown.keys()].map((field) => [field, stands[field]])), ...fields };
  const find = (named: NamedResource): Known | undefined => asItWillBe(madeAs(named), named, situation.find(named));
  try {
    return prepare(createOf(kind, operation, whole), catalog, find);
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    throw new Refusal(
      ...error.faults.map((fault) => ({ ...fault, code: error.code, pointer: withinOperation(fault.pointer) })),
    );
  }
}

/** Of what is there: what it was asked for with, where that can be asked for again. */
const sizesOf = ({ requested }: There): Readonly<Record<string, unknown>> =>
  Object.fromEntries(['flavor', 'sizeGib'].flatMap((field) => (requested[field] ? [[field, requested[field]]] : [])));

const withinOperation = (pointer: string): string =>
  /^\/(with|region|provider)\b/.test(pointer) ? pointer : `/with${pointer}`;

/** A resource as those that use it will find it: what is to be made is there by then, and is usable. */
function asItWillBe(
  decision: Decision | undefined,
  { kind }: NamedResource,
  there: There | undefined,
): Known | undefined {
  if (!decision?.name || (decision.action !== 'create' && decision.action !== 'replace')) return there;
  const { region = there?.region ?? '', provider = there?.provider ?? '' } = decision.operation;
  const [status = ''] = usableStates;
  const blank = { kind, name: decision.name, requested: decision.operation.with, currentJobId: null };
  const id = decision.there?.id ?? newId(decision.name);
  return { ...blank, id, region, provider, status };
}

/** What of the catalogue a create was decided by: were it another, the plan might be. */
const offeredBy = (catalog: Catalog, { provider, requested }: Prepared): unknown => [
  provider,
  catalog.flavors.find(({ name }) => name === requested.flavor) ?? null,
];
