import type { Command } from 'commander';
import type { BareMetalHost } from '../../src/domain/bare-metal-host.ts';
import { type Column, table } from '../table.ts';
import { apiCommand, type OpenContext, openSession, textOf } from './common.ts';
import { count, mandatoryText, text } from './options.ts';
import { resourceCommand } from './resource.ts';

const image = mandatoryText('imageUrl', '--image-url <url>', 'the image, where its controller can fetch it');
const until = text('until', '--until <end>', 'powered-off (it installs and turns the host off) or booted (it runs on)');

const columns: readonly Column<BareMetalHost>[] = [
  { header: 'BMC', value: ({ bmcAddress }) => bmcAddress },
  { header: 'POWER', value: ({ power }) => power ?? '' },
  { header: 'MODEL', value: ({ inventory }) => inventory?.model ?? '', optional: true },
  { header: 'GPUS', value: ({ gpus }) => (gpus > 0 ? String(gpus) : ''), optional: true },
  { header: 'CLEANED', value: ({ cleanedAt }) => (cleanedAt ? 'yes' : ''), optional: true },
  { header: 'MAINTENANCE', value: ({ maintenance }) => maintenance ?? '', optional: true },
  { header: 'REPAIR', value: ({ repair }) => repair ?? '', optional: true },
];

export const bareMetalHostCommand = (open: OpenContext) =>
  lifeCommand(open).addCommand(abortCommand(open)).addCommand(markCommand(open));

function abortCommand(open: OpenContext): Command {
  const command = apiCommand('abort', 'abort what is being done to a bare-metal host')
    .argument('<name>', 'its name or id')
    .requiredOption('--reason <reason>', 'why, for the record');
  return command.action(async (reference: string) => {
    const session = await openSession(command, open);
    const job = await session.client.abort(reference, textOf(command, 'reason') ?? '');
    session.talk(`The job ${job.id} (${job.type}) of ${reference} is being canceled.`);
  });
}

/** Each mark by itself: an empty text takes it off. */
function markCommand(open: OpenContext): Command {
  const command = apiCommand('mark', 'mark a bare-metal host as in maintenance, or as broken')
    .argument('<name>', 'its name or id')
    .option('--maintenance <reason>', 'nothing is to be deployed on it; an empty reason takes it off')
    .option('--repair <reason>', 'what of it is broken; an empty reason takes it off');
  return command.action(async (reference: string) => {
    const session = await openSession(command, open);
    const marks = Object.fromEntries(
      ['maintenance', 'repair'].flatMap((mark) => {
        const reason = textOf(command, mark);
        return reason === undefined ? [] : [[mark, reason || null]];
      }),
    );
    const { id } = await session.client.get('bare-metal-host', reference);
    const host = await session.client.racks.mark(id, marks);
    await session.show(host, () => table(columns, [host], Date.now()));
  });
}

const lifeCommand = (open: OpenContext) =>
  resourceCommand(
    {
      kind: 'bare-metal-host',
      noun: 'bare-metal host',
      options: [
        mandatoryText('bmcAddress', '--bmc-address <address>', 'where its controller is'),
        mandatoryText('bmcCredential', '--bmc-credential <name>', 'which of the region’s credentials it takes'),
        text('bmcSystemId', '--bmc-system-id <id>', 'which of the controller’s systems, where it has several'),
        count('gpus', '--gpus <count>', 'how many it counts for in the quota'),
      ],
      acts: {
        deploy: [image, until],
        rebuild: [text('imageUrl', '--image-url <url>', 'the image; the same again where it is left out'), until],
        rescue: [image],
        'insert-media': [image],
        'set-boot-device': [
          mandatoryText('device', '--device <device>', 'pxe, disk or cd'),
          text('persistence', '--persistence <how-long>', 'once (the next start alone) or continuous'),
        ],
      },
      columns,
    },
    open,
  );
