import { sagaSuite } from './suite.ts';

sagaSuite('vm.create', 'vm.delete', 'vm.resize', 'vm.rebuild');
