import { sagaSuite } from './suite.ts';

sagaSuite('cluster.scale');
