/** Writes docs/batch.schema.json, the schema that the examples name for editors. */
import { writeFileSync } from 'node:fs';
import { batchSchema } from '../src/batch/schema.ts';

writeFileSync(new URL('../docs/batch.schema.json', import.meta.url), `${JSON.stringify(batchSchema(), null, 2)}\n`);
