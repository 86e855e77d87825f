import { sagaSuite } from './suite.ts';

sagaSuite(
  'bare-metal-host.rescue',
  'bare-metal-host.unrescue',
  'bare-metal-host.power-on',
  'bare-metal-host.power-off',
);
