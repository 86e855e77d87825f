import { sql } from 'drizzle-orm';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { now } from './columns.ts';

export const regions = pgTable('regions', {
  name: text('name').primaryKey(),
  providers: text('providers').array().notNull().default(sql`'{}'`),
  createdAt: now('created_at'),
});

export const flavors = pgTable('flavors', {
  name: text('name').primaryKey(),
  vcpus: integer('vcpus').notNull(),
  memoryMib: integer('memory_mib').notNull(),
  diskGib: integer('disk_gib').notNull(),
});

export const images = pgTable('images', { name: text('name').primaryKey() });
