import { createHash } from 'node:crypto';
import { iso } from '../db/queries/iso.ts';

/** An entry as the chain sees it: every column as PostgreSQL writes it as text, by column. */
export type ChainedEntry = Readonly<Record<(typeof fields)[number], string | null>>;

/** In this order, for good: another order would be another hash. A column that is added later comes in with a new version. */
const fields = [
  'position',
  'transaction_id',
  'at',
  'act_id',
  'phase',
  'organization_id',
  'project_id',
  'actor',
  'origin',
  'action',
  'resource_kind',
  'resource_id',
  'resource_name',
  'job_id',
  'reason',
  'details',
  'outcome',
] as const;

/** SQL that reads an entry `e` as a `ChainedEntry`. */
export const entryColumns = fields
  .map((field) => `${field === 'at' ? iso('e.at') : `e.${field}::text`} AS ${field}`)
  .join(', ');

/** Before the first seal. */
export const noHash = '0'.repeat(64);

/**
 * The hash of a seal, in hexadecimal: SHA-256 over what it is, its sequence, the hash before it and the entry, as JSON,
 * whose strings and brackets keep every part apart from the next.
 */
export function sealHash(sequence: number, previousHash: string, entry: ChainedEntry): string {
  const content = JSON.stringify([sequence, previousHash, ...fields.map((field) => entry[field])]);
  return createHash('sha256').update(`millwright audit seal v1\n${content}`).digest('hex');
}
