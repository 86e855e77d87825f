import { sagaSuite } from './suite.ts';

sagaSuite('bucket.create', 'bucket.delete', 'bucket.create-key', 'bucket.revoke-key');
