import type { OpenContext } from './common.ts';
import { count, mandatoryText, text } from './options.ts';
import { resourceCommand } from './resource.ts';

const image = mandatoryText('imageUrl', '--image-url <url>', 'the image, where its controller can fetch it');
const until = text('until', '--until <end>', 'powered-off (it installs and turns the host off) or booted (it runs on)');

export const bareMetalHostCommand = (open: OpenContext) =>
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
      columns: [
        { header: 'BMC', value: ({ bmcAddress }) => bmcAddress },
        { header: 'POWER', value: ({ power }) => power ?? '' },
        { header: 'MODEL', value: ({ inventory }) => inventory?.model ?? '', optional: true },
        { header: 'GPUS', value: ({ gpus }) => (gpus > 0 ? String(gpus) : ''), optional: true },
        { header: 'CLEANED', value: ({ cleanedAt }) => (cleanedAt ? 'yes' : ''), optional: true },
        { header: 'MAINTENANCE', value: ({ maintenance }) => maintenance ?? '', optional: true },
        { header: 'REPAIR', value: ({ repair }) => repair ?? '', optional: true },
      ],
    },
    open,
  );
