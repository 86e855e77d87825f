import type { Sql, TransactionSql } from 'postgres';

/** The VRF of that name in a project, made where there is none yet. */
export async function ensureVrf(sql: Sql | TransactionSql, projectId: string, name: string): Promise<string> {
  const find = (): Promise<readonly { id: string }[]> =>
    sql<{ id: string }[]>`SELECT id FROM vrfs WHERE project_id = ${projectId} AND name = ${name}`;
  const [known] = await find();
  if (known) return known.id;
  await sql`INSERT INTO vrfs (project_id, name) VALUES (${projectId}, ${name}) ON CONFLICT DO NOTHING`;
  const [made] = await find();
  if (!made) throw new Error(`VRF "${name}" of project ${projectId} is neither there nor could it be made`);
  return made.id;
}
