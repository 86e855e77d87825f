import { type Command, InvalidArgumentError, Option } from 'commander';
import { apiCommand, type OpenContext, openSession } from './common.ts';
import { type CreateOption, list, mandatoryText, sshKeys, text } from './options.ts';
import { resourceCommand } from './resource.ts';

const machines = (value: string): { count: number; flavor: string } => {
  const [, count, flavor] = /^(\d+)x(.+)$/.exec(value) ?? [];
  if (count === undefined || flavor === undefined)
    throw new InvalidArgumentError('It must have the form <count>x<flavor>, like 3xsmall.');
  return { count: Number(count), flavor };
};

type Pool = ReturnType<typeof machines> & { readonly name: string };
function addPool(value: string, before: readonly Pool[] = []): Pool[] {
  const [, name, rest] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (name === undefined || rest === undefined)
    throw new InvalidArgumentError('It must have the form <name>=<count>x<flavor>, like web=5xsmall.');
  return [...before, { name, ...machines(rest) }];
}

type ScaledPool = { readonly name: string; readonly count: number; readonly flavor?: string };
function addScaledPool(value: string, before: readonly ScaledPool[] = []): ScaledPool[] {
  const [, name, count, flavor] = /^([^=]+)=(\d+)(?:x(.+))?$/.exec(value) ?? [];
  if (name === undefined || count === undefined)
    throw new InvalidArgumentError(
      'It must have the form <name>=<count>, like web=5; of a new pool <name>=<count>x<flavor>.',
    );
  return [...before, { name, count: Number(count), ...(flavor === undefined ? {} : { flavor }) }];
}
const scaleOptions: readonly CreateOption[] = [
  {
    field: 'controlPlane',
    option: new Option('--control-plane <count>', '1, 3 or 5 machines').argParser((value) => ({
      count: Number(value),
    })),
  },
  {
    field: 'pools',
    option: new Option(
      '--pool <name>=<count>',
      'so many workers, like web=5; of a new pool its flavor as well, like web=5xsmall; may be given again',
    ).argParser(addScaledPool),
  },
];

const controlPlane: CreateOption<'controlPlane'> = {
  field: 'controlPlane',
  option: new Option('--control-plane <count>x<flavor>', '1, 3 or 5 machines, like 3xsmall')
    .argParser(machines)
    .makeOptionMandatory(),
};
const pools: CreateOption<'pools'> = {
  field: 'pools',
  option: new Option('--pool <name>=<count>x<flavor>', 'workers, like web=5xsmall; may be given again').argParser(
    addPool,
  ),
};
const bastion: CreateOption<'bastion'> = {
  field: 'bastion',
  option: new Option('--bastion <flavor>', 'a machine to come in by').argParser((flavor) => ({ flavor })),
};

export const clusterCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'cluster',
      noun: 'cluster',
      options: [
        mandatoryText('version', '--kubernetes <version>', 'its minor version, like 1.33'),
        mandatoryText('image', '--image <image>', 'what its machines boot, like debian-13'),
        controlPlane,
        pools,
        bastion,
        list('networks', '--network <network>', 'a network that its machines join; may be given again'),
        sshKeys('sshKeys', '--ssh-key <file|key>', 'an OpenSSH public key, or a file of them; may be given again'),
        text('cni', '--cni <cni>', 'cilium, calico or flannel; cilium where it is left out'),
        text('serviceMesh', '--service-mesh <mesh>', 'istio, linkerd or none; none where it is left out'),
        list('plugins', '--plugin <plugin>', 'a plugin; may be given again'),
      ],
      acts: { scale: scaleOptions },
      columns: [
        { header: 'VERSION', value: ({ version }) => version },
        { header: 'MACHINES', value: ({ machines: all }) => `${all.filter(isThere).length}/${all.length}` },
        { header: 'ENDPOINT', value: ({ endpoint }) => endpoint ?? '' },
      ],
    },
    open,
  ).addCommand(kubeconfigCommand(open));

const isThere = ({ vmStatus }: { readonly vmStatus: string | null }): boolean => vmStatus === 'running';

function kubeconfigCommand(open: OpenContext): Command {
  const command = apiCommand('kubeconfig', 'print the kubeconfig of a cluster, which administers it').argument(
    '<name>',
    'its name or id',
  );
  return command.action(async (reference: string) => {
    const session = await openSession(command, open);
    const answer = await session.client.kubeconfig(reference);
    await session.show(answer, () => answer.kubeconfig.trimEnd());
  });
}
