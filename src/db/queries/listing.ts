import type { Sql } from 'postgres';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

/**
 * How many rows one page looks at, for filters that no index answers in the list's order. A page that has seen so many
 * ends where it is, perhaps short or empty, and its cursor leads on: it takes the same time whatever there is.
 */
export const scanLimit = 2000;

/** More than any page holds; PostgreSQL does not plan for more. */
const largestPage = 501;

type Value = string | number | readonly string[];
type Condition = (parameter: string) => string;

/** The columns that a list is in order of, after those that its filters fix; and whether the last comes first. */
export interface Order {
  readonly by: readonly string[];
  readonly newestFirst: boolean;
}

/** The conditions of a list: those that its filters ask for, and no others. `$1 IS NULL OR x = $1` would be of no index. */
export class Filter {
  readonly values: Value[] = [];
  readonly #first: number;
  readonly #fixed: { readonly column: string; readonly parameter: string }[] = [];
  readonly #plain: string[] = [];
  readonly #scanned: string[] = [];

  /** `first`: the number of its first parameter. */
  constructor(first = 1) {
    this.#first = first;
  }

  /** A column that has this value throughout the list, and that leads in the list's index. Without a value, nothing. */
  fixed(value: string | undefined, column: string, type: 'uuid' | 'text'): this {
    if (value !== undefined) this.#fixed.push({ column, parameter: `${this.parameter(value)}::${type}` });
    return this;
  }

  /** What leaves most of what the list's index gives, or what leaves all or nothing. */
  with(value: Value | undefined, condition: Condition): this {
    if (value !== undefined) this.#plain.push(condition(this.parameter(value)));
    return this;
  }

  /** What has to be looked for, row by row. */
  scanned(value: Value | undefined, condition: Condition): this {
    if (value !== undefined) this.#scanned.push(condition(this.parameter(value)));
    return this;
  }

  /** A condition without a parameter: for an index that is only of the rows where it holds. */
  only(condition: string | undefined): this {
    if (condition !== undefined) this.#plain.push(condition);
    return this;
  }

  parameter(value: Value): string {
    this.values.push(value);
    return `$${this.#first + this.values.length - 1}`;
  }

  /** Undefined where nothing has to be looked for. */
  get rest(): string | undefined {
    return this.#scanned.length > 0 ? this.#scanned.join(' AND ') : undefined;
  }

  /** The conditions that need no looking for, as they are. */
  get plain(): string {
    return this.#plain.join(' AND ') || 'true';
  }

  /** What the list's index gives, from after `cursor` on, in order. */
  inOrder({ by, newestFirst }: Order, cursor: readonly string[] | undefined): { where: string; order: string } {
    const fixed = this.#fixed.map(({ column, parameter }) => `${column} = ${parameter}`);
    const after = cursor ? [`(${by.join(', ')}) ${newestFirst ? '<' : '>'} (${cursor.join(', ')})`] : [];
    return {
      where: [...fixed, ...after, this.plain].join(' AND '),
      order: by.map((column) => (newestFirst ? `${column} DESC` : column)).join(', '),
    };
  }
}

interface Source {
  /** What is listed, and the name that columns, joins and filter know it by. */
  readonly table: string;
  readonly alias: string;
  /** One of them is `id`. */
  readonly columns: string;
  readonly joins?: string;
  readonly filter: Filter;
}

interface Ordered extends Source {
  readonly order: Order;
  /** Where to go on from: SQL for a value of each column of the order. */
  readonly cursor: readonly string[] | undefined;
  /** The column that is shown as `id`. */
  readonly key: string;
  /** Of the last row that a page looked at: whether anything that matches can come after it. */
  readonly goesOn?: string;
}

interface Beside {
  readonly scannedTo?: string | null;
  readonly place?: string;
}
type Found<Row> = Row & Beside & { readonly id: string | null };

/**
 * Not a prepared statement: PostgreSQL would come to plan it for any values, and then takes an index that gives the order
 * and has none of the filters' columns, in the hope that what matches is everywhere.
 *
 * Gives the rows of a page, one more than it shows, and where a page that is not full is to be gone on from, if at all.
 */
export async function readRows<Row extends { readonly id: string }>(
  sql: Sql,
  { table, alias, columns, joins = '', filter, key, goesOn = 'true', ...ordered }: Ordered,
  limit: number,
): Promise<{ rows: Row[]; scannedTo: string | null }> {
  const count = filter.parameter(limit + 1);
  const { rest, values } = filter;
  const { where, order } = filter.inOrder(ordered.order, ordered.cursor);
  const inOrder = `FROM ${table} ${alias} WHERE ${where} ORDER BY ${order}`;
  const few = rest
    ? `(SELECT * FROM (SELECT * ${inOrder} LIMIT ${scanLimit}) ${alias} WHERE ${rest} ORDER BY ${order} LIMIT ${largestPage})`
    : `(SELECT * ${inOrder} LIMIT ${largestPage})`;
  const from = `FROM ${few} ${alias} ${joins} ORDER BY ${order} LIMIT ${count}::int`;
  const text = rest
    ? `SELECT edge."scannedTo", f.* FROM (SELECT (
        SELECT CASE WHEN ${goesOn} THEN ${key} END ${inOrder} OFFSET ${scanLimit - 1} LIMIT 1) AS "scannedTo") edge
      LEFT JOIN LATERAL (SELECT ${columns}, row_number() OVER (ORDER BY ${order}) AS place ${from}) f ON true ORDER BY f.place`
    : `SELECT ${columns} ${from}`;
  const rows = await sql.unsafe<Found<Row>[]>(text, [...values] as (string | number)[]);
  // Where nothing was found, one row without an id says how far it was looked for.
  const found = rows
    .filter(({ id }) => id !== null)
    .map(({ scannedTo: _, place: __, ...row }) => row as unknown as Row);
  return { rows: found, scannedTo: rows[0]?.scannedTo ?? null };
}

interface Listing extends Source {
  readonly newestFirst: boolean;
}

/** A page of a list, in the order of its ids. */
export async function listPage<Row extends { readonly id: string }, Item>(
  sql: Sql,
  { newestFirst, ...source }: Listing,
  { limit, cursor }: PageRequest,
  view: (row: Row) => Item,
): Promise<Page<Item>> {
  const key = `${source.alias}.id`;
  const after = afterOf(cursor);
  const from = after === null ? undefined : [`${source.filter.parameter(after)}::uuid`];
  const order = { by: [key], newestFirst };
  const { rows, scannedTo } = await readRows<Row>(sql, { ...source, key, order, cursor: from }, limit);
  return toPage(rows, limit, view, undefined, scannedTo);
}
