import { sql } from 'drizzle-orm';
import { customType, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Time-ordered ids (UUIDv7, RFC 9562), so that a primary key is also the order of creation. */
export const id = () => uuid('id').primaryKey().default(sql`uuidv7()`);
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
export const now = (name: string) => time(name).notNull().defaultNow();
/** PostgreSQL's 64-bit transaction id, as text. */
export const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });
