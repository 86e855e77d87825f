import { sagaSuite } from './suite.ts';

sagaSuite('bare-metal-host.deploy', 'bare-metal-host.rebuild', 'bare-metal-host.undeploy', 'bare-metal-host.adopt');
