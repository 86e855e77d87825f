import { sagaSuite } from './suite.ts';

sagaSuite('snapshot.create', 'snapshot.delete', 'volume.restore');
