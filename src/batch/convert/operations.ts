import type { Path } from '../place.ts';
import { type Fields, isFields, listOf, nameFrom, pick, textOf, wholeOf } from './older.ts';

/** How what is called otherwise here is to be called. */
export interface Mapping {
  /** An older tool's plan to a flavor. */
  readonly flavors: Readonly<Record<string, string>>;
  /** An older tool's zone to a region. */
  readonly regions: Readonly<Record<string, string>>;
  /** For machines that name none. */
  readonly image: string | undefined;
}

/** Says that something could not be said in our file. */
export type Leave = (path: Path, detail: string) => void;

/** An operation of our file, its fields in the order in which they are written. */
export interface Made {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What of it could not be said. */
  readonly comments: readonly string[];
}

type Verb = 'create' | 'delete';
interface Member {
  readonly name: string;
  readonly with: Fields;
  readonly region: string | undefined;
}

/** What we can make of an older tool's types of operation, by the fields that list their members. */
const kinds = [
  { kind: 'vm', types: ['server', 'server_batch', 'servers'], lists: ['server_configs', 'servers'] },
  { kind: 'network', types: ['network', 'network_batch', 'networks'], lists: ['network_configs', 'networks'] },
  {
    kind: 'volume',
    types: ['storage', 'storage_batch', 'volume', 'volume_batch', 'volumes'],
    lists: ['storage_configs', 'volumes', 'storages'],
  },
] as const;
type Kind = (typeof kinds)[number];

const verbs: Readonly<Record<string, Verb>> = {
  create: 'create',
  delete: 'delete',
  destroy: 'delete',
  remove: 'delete',
};

/** Fields of an operation that are dealt with beside its members. */
const known = [
  'id',
  'name',
  'type',
  'operation_type',
  'action',
  'provider',
  'dependencies',
  'depends_on',
  'retry_policy',
  'timeout',
  'description',
];

export const kindOf = (operation: Fields): Kind | undefined => {
  const type = textOf(pick(operation, 'type', 'operation_type')?.value)?.toLowerCase();
  return kinds.find(({ types }) => types.some((one) => one === type));
};

/** The operations that stand for one of an older tool: one for each of its members. */
export function membersOf(
  operation: Fields,
  path: Path,
  kind: Kind,
  mapping: Mapping,
  { of: leave, member: leaveOfMember }: { readonly of: Leave; readonly member: Leave },
): Made[] {
  const action = textOf(operation.action)?.toLowerCase() ?? 'create';
  const verb = verbs[action];
  if (!verb) {
    leave([...path, 'action'], `there is no "${action}" for a ${kind.kind} in a batch file`);
    return [];
  }
  const holder = isFields(operation.parameters)
    ? { at: [...path, 'parameters'], fields: operation.parameters }
    : { at: path, fields: operation };
  const list = pick(holder.fields, ...kind.lists);
  const members = list
    ? listOf(list.value).map((value, at) => ({ value, path: [...holder.at, list.name, at] }))
    : [{ value: operation, path }];
  const common = commonOf(operation, path, leave);
  noteRest(operation, path, [...known, 'parameters', ...kind.lists, ...(list ? [] : memberFields[kind.kind])], leave);
  return members.flatMap(({ value, path: at }) => {
    const fields = typeof value === 'string' ? { name: value } : value;
    if (!isFields(fields)) {
      leave(at, `a ${kind.kind} is a mapping with a "name"`);
      return [];
    }
    const comments: string[] = [];
    const note: Leave = (where, detail) => {
      comments.push(detail);
      leaveOfMember(where, detail);
    };
    const member = memberOf(kind.kind, verb, fields, at, mapping, note, list !== undefined);
    const { name, region } = member;
    return [
      {
        id: name,
        fields: {
          type: `${kind.kind}.${verb}`,
          ...(textOf(operation.provider) && verb === 'create'
            ? { provider: nameFrom(textOf(operation.provider) ?? '') }
            : {}),
          ...(region ? { region } : {}),
          ...common,
          with: member.with,
        },
        comments,
      },
    ];
  });
}

/** What every member takes on from its operation: retry and timeout. */
function commonOf(operation: Fields, path: Path, leave: Leave): Fields {
  const timeout = pick(operation, 'timeout');
  const seconds = timeout && wholeOf(timeout.value);
  if (timeout && !seconds) leave([...path, 'timeout'], 'a timeout is a number of seconds');
  const retry = isFields(operation.retry_policy)
    ? retryOf(operation.retry_policy, [...path, 'retry_policy'], leave)
    : undefined;
  return { ...(retry ? { retry } : {}), ...(seconds ? { timeout: seconds } : {}) };
}

function retryOf(policy: Fields, path: Path, leave: Leave): Fields | undefined {
  const [attempts, initial, maximum] = [
    pick(policy, 'max_attempts', 'max_retries'),
    pick(policy, 'initial_delay', 'delay'),
    pick(policy, 'max_delay'),
  ];
  const factor = pick(policy, 'backoff_multiplier', 'backoff_factor', 'backoff');
  if (factor && factor.value !== 2 && factor.value !== 'exponential')
    leave(
      [...path, factor.name],
      `the pause between tries always doubles; ${JSON.stringify(factor.value)} is left out`,
    );
  noteRest(
    policy,
    path,
    [
      'max_attempts',
      'max_retries',
      'initial_delay',
      'delay',
      'max_delay',
      'backoff_multiplier',
      'backoff_factor',
      'backoff',
    ],
    leave,
  );
  const retry = {
    ...(wholeOf(attempts?.value) ? { maximumAttempts: wholeOf(attempts?.value) } : {}),
    ...(wholeOf(initial?.value) ? { initialSeconds: wholeOf(initial?.value) } : {}),
    ...(wholeOf(maximum?.value) ? { maximumSeconds: wholeOf(maximum?.value) } : {}),
  };
  return Object.keys(retry).length === 0 ? undefined : retry;
}

/** Fields of a member that are dealt with. */
const memberFields = {
  vm: [
    'name',
    'hostname',
    'plan',
    'flavor',
    'instance_type',
    'zone',
    'region',
    'image',
    'os',
    'template',
    'vcpus',
    'cpus',
    'memory_mib',
    'storage_gib',
    'storage_size',
    'disk_size',
    'ssh_keys',
    'user_data',
    'labels',
    'networks',
    'volumes',
  ],
  network: ['name', 'cidr', 'ip_network', 'zone', 'region', 'labels'],
  volume: ['name', 'size', 'size_gib', 'zone', 'region', 'labels'],
} as const;

function memberOf(
  kind: Kind['kind'],
  verb: Verb,
  fields: Fields,
  path: Path,
  mapping: Mapping,
  note: Leave,
  inList: boolean,
): Member {
  const name = nameFrom(textOf(pick(fields, 'name', 'hostname', 'id')?.value) ?? 'unnamed');
  if (inList) noteRest(fields, path, memberFields[kind], note);
  const zone = pick(fields, 'zone', 'region');
  const region = textOf(zone?.value);
  if (verb === 'delete') return { name, with: { name }, region: undefined };
  if (!region) note(path, 'region: no zone is named');
  const labels = isFields(fields.labels) ? { labels: fields.labels } : {};
  const own = kind === 'vm' ? vmOf(fields, path, mapping, note) : sizeOf(kind, fields, path, note);
  return { name, with: { name, ...own, ...labels }, region: region && (mapping.regions[region] ?? nameFrom(region)) };
}

function sizeOf(kind: 'network' | 'volume', fields: Fields, path: Path, note: Leave): Fields {
  if (kind === 'network') {
    const cidr = textOf(pick(fields, 'cidr', 'ip_network')?.value);
    if (!cidr) note(path, 'cidr: the network has none');
    return cidr ? { cidr } : {};
  }
  const size = wholeOf(pick(fields, 'size_gib', 'size')?.value);
  if (!size) note(path, 'sizeGib: the volume has no size');
  return size ? { sizeGib: size } : {};
}

function vmOf(fields: Fields, path: Path, mapping: Mapping, note: Leave): Fields {
  const image = textOf(pick(fields, 'image', 'os', 'template')?.value) ?? mapping.image;
  if (!image) note(path, 'image: none is named; say which with --image');
  const passed = (older: string, ours: string): Fields => {
    const value = fields[older];
    return value === undefined ? {} : { [ours]: value };
  };
  return {
    ...sizesOf(fields, path, mapping, note),
    ...(image ? { image } : {}),
    ...passed('networks', 'networks'),
    ...passed('volumes', 'volumes'),
    ...passed('ssh_keys', 'sshKeys'),
    ...passed('user_data', 'userData'),
  };
}

/** A plan that says its sizes, as UpCloud's do: `2xCPU-4GB`. */
const sizedPlan = /^(\d+)xCPU-(\d+)GB$/i;

function sizesOf(fields: Fields, path: Path, mapping: Mapping, note: Leave): Fields {
  const plan = pick(fields, 'flavor', 'plan', 'instance_type');
  const name = textOf(plan?.value);
  const flavor =
    name && Object.hasOwn(mapping.flavors, name) ? mapping.flavors[name] : plan?.name === 'flavor' ? name : undefined;
  if (flavor) return { flavor };
  const [, cpus, gigabytes] = sizedPlan.exec(name ?? '') ?? [];
  const vcpus = wholeOf(pick(fields, 'vcpus', 'cpus')?.value) ?? wholeOf(cpus);
  const memoryMib = wholeOf(fields.memory_mib) ?? (gigabytes ? Number(gigabytes) * 1024 : undefined);
  const diskGib = wholeOf(pick(fields, 'storage_gib', 'storage_size', 'disk_size')?.value);
  if (vcpus && memoryMib && diskGib) return { vcpus, memoryMib, diskGib };
  note(
    plan ? [...path, plan.name] : path,
    name
      ? `flavor: the plan "${name}" has none; say which with --flavor-map ${name}=FLAVOR`
      : 'flavor: neither a plan nor sizes are named',
  );
  return {};
}

/** Says of each field that nothing was made of that it is left out. */
export function noteRest(fields: Fields, path: Path, dealtWith: readonly string[], leave: Leave): void {
  for (const [name, value] of Object.entries(fields)) {
    const says = value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (says && !dealtWith.includes(name))
      leave([...path, name], `${name}: ${JSON.stringify(value)} has no like in a batch file`);
  }
}
