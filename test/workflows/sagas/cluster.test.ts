import { sagaSuite } from './suite.ts';

sagaSuite('cluster.create', 'cluster.delete');
