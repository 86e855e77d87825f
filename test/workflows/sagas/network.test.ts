import { sagaSuite } from './suite.ts';

sagaSuite('network.create', 'network.delete');
