import { mebibytes } from '../text.ts';
import { apiCommand, type OpenContext, openSession, wholeNumber } from './common.ts';
import { count, fileText, jsonValue, list, mandatoryText, sshKeys, text } from './options.ts';
import { resourceCommand } from './resource.ts';

export const vmCommand = (open: OpenContext) => lifeCommand(open).addCommand(consoleCommand(open));

const lifeCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'vm',
      noun: 'VM',
      options: [
        mandatoryText('image', '--image <image>', 'what to boot, like debian-13'),
        text('flavor', '--flavor <flavor>', 'a named size; or give --vcpus, --memory-mib and --disk-gib'),
        count('vcpus', '--vcpus <count>', 'virtual processors'),
        count('memoryMib', '--memory-mib <MiB>', 'memory'),
        count('diskGib', '--disk-gib <GiB>', 'disk'),
        list('networks', '--network <network>', 'a network to join; may be given again, the first gives the address'),
        list('volumes', '--volume <volume>', 'a volume to attach; may be given again'),
        count('gpus', '--gpus <count>', 'GPUs of its host for itself'),
        jsonValue('placement', '--placement <json>', 'where it may stand, like {"group":"fast"}'),
        sshKeys('sshKeys', '--ssh-key <file|key>', 'an OpenSSH public key, or a file of them; may be given again'),
        fileText('userData', '--user-data <file>', 'cloud-init user data'),
      ],
      acts: {
        resize: [
          text('flavor', '--flavor <flavor>', 'a named size; or give what changes'),
          count('vcpus', '--vcpus <count>', 'virtual processors'),
          count('memoryMib', '--memory-mib <MiB>', 'memory'),
          count('diskGib', '--disk-gib <GiB>', 'disk; never less than it has'),
        ],
        rebuild: [
          text('image', '--image <image>', 'what to boot; the same image again where it is left out'),
          fileText('userData', '--user-data <file>', 'cloud-init user data for its first start'),
        ],
      },
      columns: [
        { header: 'FLAVOR', value: ({ flavor }) => flavor ?? '', optional: true },
        { header: 'VCPUS', value: ({ vcpus }) => String(vcpus) },
        { header: 'MEMORY', value: ({ memoryMib }) => mebibytes(memoryMib) },
        { header: 'DISK', value: ({ diskGib }) => `${diskGib}GiB` },
        { header: 'IMAGE', value: ({ image }) => image },
        { header: 'ADDRESS', value: ({ address }) => address ?? '' },
      ],
    },
    open,
  );

function consoleCommand(open: OpenContext) {
  const command = apiCommand('console-log', 'show what a VM wrote to its console')
    .argument('<name>', 'its name or id')
    .option('--lines <count>', 'so many of the last lines', wholeNumber, 100);
  return command.action(async (reference: string, { lines }: { readonly lines: number }) => {
    const session = await openSession(command, open);
    const read = await session.client.vmConsoleLog(reference, lines);
    await session.show(read, () => read.lines.map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')).join('\n'));
  });
}
