import type { Sql } from 'postgres';

/** What the API and the workers act as, where they may: it adds to the audit log and cannot change it. */
export const runtimeRole = 'millwright_app';

const appendOnlyTables = 'audit_entries, audit_seals';

/**
 * Makes the runtime role where we may, and gives it its rights in this database. Roles belong to the whole cluster:
 * several databases may do this at once, and again. Gives false where there is no such role and we may not make it.
 */
export async function grantRights(sql: Sql): Promise<boolean> {
  await sql.unsafe(`DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${runtimeRole}') THEN
      CREATE ROLE ${runtimeRole} NOLOGIN;
    END IF;
    IF NOT pg_has_role('${runtimeRole}', 'SET') THEN
      GRANT ${runtimeRole} TO CURRENT_USER;
    END IF;
  EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege OR undefined_object OR internal_error THEN
    -- Another made it at the same moment, or it is not ours to make.
    NULL;
  END $$`);
  const [role] = await sql`SELECT FROM pg_roles WHERE rolname = ${runtimeRole}`;
  if (!role) return false;
  await sql.begin(async (transaction) => {
    await transaction.unsafe(`
      GRANT USAGE ON SCHEMA public TO ${runtimeRole};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${runtimeRole};
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${runtimeRole};
      REVOKE UPDATE, DELETE, TRUNCATE ON ${appendOnlyTables} FROM ${runtimeRole}`);
  });
  return true;
}
