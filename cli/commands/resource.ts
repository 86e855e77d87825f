import { Command, Option } from 'commander';
import { actTitles } from '../../src/domain/acts.ts';
import type { BareMetalHostCreate } from '../../src/domain/bare-metal-host.ts';
import type { BucketCreate } from '../../src/domain/bucket.ts';
import type { ClusterCreate } from '../../src/domain/cluster.ts';
import type { ResourceUpdate } from '../../src/domain/common.ts';
import { type Act, actsOf, isActType, type ResourceKind, typeOf } from '../../src/domain/kinds.ts';
import { listedStates } from '../../src/domain/life.ts';
import type { NetworkCreate } from '../../src/domain/network.ts';
import type { SnapshotCreate } from '../../src/domain/snapshot.ts';
import type { VmCreate } from '../../src/domain/vm.ts';
import type { VolumeCreate } from '../../src/domain/volume.ts';
import type { Accepted, Views } from '../client.ts';
import { ApiProblem, Exit } from '../errors.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age } from '../text.ts';
import {
  apiCommand,
  idempotencyKeyOf,
  limitOf,
  modeOf,
  type OpenContext,
  openSession,
  textOf,
  withJob,
  withLimit,
} from './common.ts';
import {
  bodyOf,
  type CreateOption,
  count,
  labels,
  list,
  mandatoryText,
  onFailureOption,
  text,
  toggle,
} from './options.ts';
import { finish, showItems } from './show.ts';

interface CreateBodies {
  readonly vm: VmCreate;
  readonly network: NetworkCreate;
  readonly volume: VolumeCreate;
  readonly snapshot: SnapshotCreate;
  readonly bucket: BucketCreate;
  readonly 'bare-metal-host': BareMetalHostCreate;
  readonly cluster: ClusterCreate;
}

/** What a kind of resource has of its own on the command line. */
interface KindCommand<Kind extends ResourceKind> {
  readonly kind: Kind;
  /** As a person says it. */
  readonly noun: string;
  readonly options: readonly CreateOption<Extract<keyof CreateBodies[Kind], string>>[];
  readonly columns: readonly Column<Views[Kind]>[];
  /** The options of its acts, of those that have any of their own. */
  readonly acts?: Readonly<Partial<Record<Act, readonly CreateOption<string>[]>>>;
}

/** Where it is to be; a snapshot is where its volume is. */
const placeOptions: readonly CreateOption<'region' | 'provider'>[] = [
  mandatoryText('region', '--region <region>', 'where to build it; see "millwright region list"'),
  text('provider', '--provider <provider>', 'which of the region’s providers; may be left out where it has one'),
];

/** What every create request carries beside its kind's own fields and its name. */
const sharedOptions: readonly CreateOption<Extract<keyof CreateBodies[ResourceKind], string>>[] = [
  labels('labels', '--label <key=value>', 'a label; may be given again'),
  toggle('deletionProtection', '--deletion-protection', 'refuse to delete it'),
  { field: 'onFailure', option: onFailureOption() },
  count('timeoutSeconds', '--timeout-seconds <seconds>', 'what is not done by then has failed'),
];

/** Create, list, get and delete, the same for every kind of resource. */
export function resourceCommand<Kind extends ResourceKind>(spec: KindCommand<Kind>, open: OpenContext): Command {
  const { kind, noun } = spec;
  const command = new Command(kind)
    .description(`create, list, show, change and delete ${noun}s`)
    .addCommand(createCommand(spec, open))
    .addCommand(listCommand(spec, open))
    .addCommand(getCommand(spec, open))
    .addCommand(updateCommand(spec, open))
    .addCommand(deleteCommand(spec, open));
  for (const act of actsOf(kind)) command.addCommand(actCommand(spec, act, open));
  return command;
}

function createCommand<Kind extends ResourceKind>(spec: KindCommand<Kind>, open: OpenContext): Command {
  const { kind, noun } = spec;
  const options = [...(kind === 'snapshot' ? [] : placeOptions), ...sharedOptions, ...spec.options];
  const command = apiCommand('create', `create a ${noun}`).argument('<name>', 'its name');
  for (const { option } of options) command.addOption(option);
  return withJob(command).action(async (name: string) => {
    const session = await openSession(command, open);
    const body = { name, ...bodyOf(command, options) };
    const accepted = await session.client.create(kind, body, idempotencyKeyOf(command));
    await finish(session, [accepted], modeOf(command), shownOf(session, spec));
  });
}

function listCommand<Kind extends ResourceKind>(
  { kind, noun, columns }: KindCommand<Kind>,
  open: OpenContext,
): Command {
  const command = withLimit(apiCommand('list', `list ${noun}s, oldest first`))
    .addOption(new Option('--status <status>', 'only those in this status').choices(listedStates(kind)))
    .option('--region <region>', 'only those in this region')
    .option('--maintainer <name>', 'only those that this group, or this member by e-mail address, maintains')
    .addOption(
      labels('labels', '--label <key=value>', 'only those with this label; given again, with all of them').option,
    );
  return command.action(async () => {
    const session = await openSession(command, open);
    const wanted: Readonly<Record<string, string>> = command.getOptionValue('label') ?? {};
    const filter = {
      status: textOf(command, 'status'),
      region: textOf(command, 'region'),
      maintainer: textOf(command, 'maintainer'),
      label: Object.entries(wanted).map(([key, value]) => `${key}=${value}`),
    };
    const items = await session.client.list(kind, limitOf(command), filter);
    await showItems(session, items, columnsOf(columns), `No ${noun}s in this project.`);
  });
}

function getCommand<Kind extends ResourceKind>({ kind, noun, columns }: KindCommand<Kind>, open: OpenContext): Command {
  const command = apiCommand('get', `show a ${noun}`).argument('<name>', 'its name or id');
  return command.action(async (reference: string) => {
    const session = await openSession(command, open);
    const resource = await session.client.get(kind, reference);
    await session.show(resource, () => table(columnsOf(columns), [resource], Date.now()));
  });
}

function updateCommand<Kind extends ResourceKind>(
  { kind, noun, columns }: KindCommand<Kind>,
  open: OpenContext,
): Command {
  const label = labels('labels', '--label <key=value>', 'set a label; may be given again').option;
  const command = apiCommand('update', `change the labels or the deletion protection of a ${noun}`)
    .argument('<name>', 'its name or id')
    .addOption(label)
    .addOption(list('removeLabels', '--remove-label <key>', 'take a label away; may be given again').option)
    .option('--deletion-protection', 'refuse to delete it')
    .option('--no-deletion-protection', 'let it be deleted')
    .option('--maintainer <name>', 'who is asked about it: a maintainer group, or a member by e-mail address')
    .option('--no-maintainer', 'nobody is');
  return command.action(async (reference: string) => {
    const session = await openSession(command, open);
    const resource = await session.client.update(kind, reference, changeOf(command));
    await session.show(resource, () => table(columnsOf(columns), [resource], Date.now()));
  });
}

function changeOf(command: Command): ResourceUpdate {
  const {
    label = {},
    removeLabel = [],
    maintainer,
  }: { label?: Record<string, string>; removeLabel?: string[]; maintainer?: string | false } = command.opts();
  const changed = { ...label, ...Object.fromEntries(removeLabel.map((key) => [key, null])) };
  // Only what was given: the option has a default of its own, because it can be negated.
  const isGiven = command.getOptionValueSource('deletionProtection') === 'cli';
  return {
    ...(Object.keys(changed).length > 0 ? { labels: changed } : {}),
    ...(maintainer === undefined ? {} : { maintainer: maintainer === false ? null : maintainer }),
    ...(isGiven ? { deletionProtection: command.getOptionValue('deletionProtection') === true } : {}),
  };
}

function deleteCommand<Kind extends ResourceKind>(spec: KindCommand<Kind>, open: OpenContext): Command {
  const { kind, noun } = spec;
  const command = apiCommand('delete', `delete ${noun}s`)
    .argument('<names...>', 'their names or ids')
    .addOption(onFailureOption());
  if (kind === 'bucket') command.option('--force', 'with everything that it holds');
  return withJob(command).action(async (references: readonly string[]) => {
    const session = await openSession(command, open);
    const accepted: Accepted<Views[Kind]>[] = [];
    let refused = false;
    for (const reference of references) {
      try {
        accepted.push(
          await session.client.delete(kind, reference, keyFor(command, references, reference), {
            onFailure: textOf(command, 'onFailure'),
            ...(command.getOptionValue('force') === true ? { force: 'true' } : {}),
          }),
        );
      } catch (error) {
        // What was accepted before is still to be shown.
        session.complain(error);
        refused = true;
        if (!(error instanceof ApiProblem)) break;
      }
    }
    if (accepted.length > 0) await finish(session, accepted, modeOf(command), shownOf(session, spec));
    if (refused) throw new Exit(1);
  });
}

function actCommand<Kind extends ResourceKind>(spec: KindCommand<Kind>, act: Act, open: OpenContext): Command {
  const { kind } = spec;
  const type = typeOf(kind, act);
  const title = isActType(type) ? actTitles[type] : act;
  const summary = title.charAt(0).toLowerCase() + title.slice(1);
  const own: readonly CreateOption<string>[] = spec.acts?.[act] ?? [];
  const options = [
    ...own,
    { field: 'onFailure', option: onFailureOption() },
    count('timeoutSeconds', '--timeout-seconds <seconds>', 'what is not done by then has failed'),
  ];
  const command = apiCommand(act, summary).argument('<name>', 'its name or id');
  for (const { option } of options) command.addOption(option);
  return withJob(command).action(async (reference: string) => {
    const session = await openSession(command, open);
    const body = bodyOf(command, options);
    const accepted = await session.client.act(kind, reference, act, body, idempotencyKeyOf(command));
    await finish(session, [accepted], modeOf(command), shownOf(session, spec));
  });
}

/** A key stands for one request: of several, each has the user's key and its own name. */
function keyFor(command: Command, references: readonly string[], reference: string): string {
  const key = idempotencyKeyOf(command);
  return references.length > 1 && textOf(command, 'idempotencyKey') ? `${key}/${reference}` : key;
}

function shownOf<Kind extends ResourceKind>({ client }: Session, { kind, columns }: KindCommand<Kind>) {
  return { columns: columnsOf(columns), find: (id: string) => unlessGone(client.get(kind, id)) };
}

async function unlessGone<Found>(looking: Promise<Found>): Promise<Found | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** A kind's own columns between those that every resource has. */
function columnsOf<Resource extends Views[ResourceKind]>(own: readonly Column<Resource>[]): Column<Resource>[] {
  return [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'STATUS', value: ({ status }) => status },
    { header: 'REGION', value: ({ region }) => region },
    { header: 'PROVIDER', value: ({ provider }) => provider },
    ...own,
    { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
    { header: 'MAINTAINER', value: ({ maintainer }) => maintainer?.name ?? '', optional: true },
    { header: 'PROTECTED', value: ({ deletionProtection }) => (deletionProtection ? 'yes' : ''), optional: true },
    {
      header: 'LABELS',
      value: ({ labels }) =>
        Object.entries(labels)
          .map((pair) => pair.join('='))
          .join(' '),
      optional: true,
    },
    { header: 'JOB', value: ({ currentJobId }) => currentJobId ?? '', optional: true },
    { header: 'REASON', value: ({ statusReason }) => statusReason ?? '', optional: true },
  ];
}
