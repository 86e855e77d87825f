import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ReservedSql, Sql } from 'postgres';
import { z } from 'zod';

/** What one release asks of its database, from a run of every kind of request and of every end a job may have. */
const recordSchema = z.object({
  /** Its migrations are this many, the first ones of the folder. */
  migrations: z.int(),
  /** What the database held when the run began: rows by table. */
  rows: z.record(z.string(), z.array(z.unknown())),
  texts: z.array(z.string()),
  calls: z.array(
    z.object({
      /** Which of the texts. */
      text: z.int(),
      /** SQL names; `unknown` where the server decides. */
      types: z.array(z.string()),
      parameters: z.array(z.string().nullable()),
      /** How many rows it gave or changed on the schema of its own release. */
      count: z.int(),
    }),
  ),
});
export type StatementRecord = z.infer<typeof recordSchema>;

const folder = fileURLToPath(new URL('./releases/', import.meta.url));

export const recordedReleases = (): string[] => readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
export const fileOfRelease = (release: string): string => `${folder}${release}.json`;
export const readRecord = (release: string): StatementRecord =>
  recordSchema.parse(JSON.parse(readFileSync(fileOfRelease(release), 'utf8')));

/** Puts back what the database held. In the order recorded, which is that of the references. */
export async function restore(sql: Sql, rows: StatementRecord['rows']): Promise<void> {
  for (const [table, content] of Object.entries(rows)) {
    await sql.unsafe(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::text::jsonb)`, [
      JSON.stringify(content),
    ]);
  }
}

/** Executes the calls in their order; gives how many rows each gave or changed, or what was wrong with it. */
export async function replay(
  sql: Sql,
  { texts }: Pick<StatementRecord, 'texts'>,
  calls: readonly Omit<StatementRecord['calls'][number], 'count'>[],
): Promise<(number | string)[]> {
  const session = await sql.reserve();
  try {
    const outcomes = [];
    for (const { text, types, parameters } of calls) {
      outcomes.push(await execute(session, texts[text] ?? '', types, parameters));
    }
    return outcomes;
  } finally {
    session.release();
  }
}

async function execute(
  session: ReservedSql,
  text: string,
  types: readonly string[],
  parameters: readonly (string | null)[],
): Promise<number | string> {
  try {
    if (parameters.length === 0) return (await session.unsafe(text)).count ?? 0;
    await session.unsafe(`PREPARE replayed${types.length > 0 ? ` (${types.join(', ')})` : ''} AS ${text}`);
    return (await session.unsafe(`EXECUTE replayed (${parameters.map(literal).join(', ')})`)).count ?? 0;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    if (parameters.length > 0) await session.unsafe('DEALLOCATE ALL');
  }
}

const literal = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
