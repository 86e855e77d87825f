import { sagaSuite } from './suite.ts';

sagaSuite('volume.create', 'volume.delete', 'volume.attach', 'volume.detach', 'volume.grow');
