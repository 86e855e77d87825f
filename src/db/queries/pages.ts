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

const cursorSchema = z.object({ after: z.uuid() });

/** The id after which the page begins. A cursor is opaque to its users (AIP-158); one that we did not make is refused. */
export function afterOf(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))).after;
  } catch (cause) {
    const detail = 'Not a cursor of this list. Use the nextCursor of the page before, or leave it out to begin anew.';
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/cursor', detail }], cause });
  }
}

/** Makes a page of one row more than asked for. */
export function toPage<Row extends { id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor =
    rows.length > limit && last ? Buffer.from(JSON.stringify({ after: last.id })).toString('base64url') : null;
  return { items: shown.map(view), nextCursor };
}
