import { sagaSuite } from './suite.ts';

sagaSuite('vm.start', 'vm.stop', 'vm.reboot', 'vm.suspend', 'vm.resume');
