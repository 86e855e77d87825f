import { sagaSuite } from './suite.ts';

sagaSuite(
  'bare-metal-host.create',
  'bare-metal-host.delete',
  'bare-metal-host.manage',
  'bare-metal-host.inspect',
  'bare-metal-host.clean',
  'bare-metal-host.provide',
);
