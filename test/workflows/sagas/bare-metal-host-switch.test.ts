import { sagaSuite } from './suite.ts';

sagaSuite(
  'bare-metal-host.reboot',
  'bare-metal-host.set-boot-device',
  'bare-metal-host.insert-media',
  'bare-metal-host.eject-media',
);
