import { z } from 'zod';
import { MillwrightError } from '../../errors.ts';

/** A page of a list: newest last, by id, which is the order of creation. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface Page<Item> {
  readonly items: Item[];
  /** To be given back for the next page; null at the end. */
  readonly nextCursor: string | null;
}

const afterId = z.object({ after: z.uuid() });
const afterPosition = z.object({ after: z.int().min(0) });

/** A cursor is opaque to its users (AIP-158); one that we did not make is refused. */
function read<After>(schema: z.ZodType<{ after: After }>, cursor: string | undefined): After | null {
  if (cursor === undefined) return null;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))).after;
  } catch (cause) {
    const detail = 'Not a cursor of this list. Use the nextCursor of the page before, or leave it out to begin anew.';
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/cursor', detail }], cause });
  }
}

/** The id after which the page begins. */
export const afterOf = (cursor: string | undefined): string | null => read(afterId, cursor);
/** The place after which the page begins, of a list with an order of its own. */
export const placeAfter = (cursor: string | undefined): number | null => read(afterPosition, cursor);

/** Makes a page of one row more than asked for. `scannedTo`: where one that is not full has to be gone on from, if at all. */
export function toPage<Row, Item>(
  rows: readonly (Row & { readonly id: string })[],
  limit: number,
  view: (row: Row) => Item,
  after: (row: Row & { readonly id: string }) => string | number = ({ id }) => id,
  scannedTo: string | null = null,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const from = rows.length > limit && last ? after(last) : scannedTo;
  const nextCursor = from === null ? null : Buffer.from(JSON.stringify({ after: from })).toString('base64url');
  return { items: shown.map(view), nextCursor };
}
