import type { Sql, TransactionSql } from 'postgres';
import { isId } from '../../domain/common.ts';
import type { OperationType, ResourceKind } from '../../domain/kinds.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import { maintainerOfResource } from './maintainers.ts';
import type { Known } from './resources.ts';

/** What a plan needs to know of a resource that is there. */
export interface There extends Known {
  readonly labels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  /** A group's name, or an e-mail address. */
  readonly maintainer: string | null;
  readonly quota: QuotaUse;
}

interface Reference {
  readonly kind: ResourceKind;
  readonly reference: string;
}

/** The resources of a project that these references (ids or names) mean, in one query. */
export async function resourcesThere(
  sql: Sql,
  projectId: string,
  references: readonly Reference[],
): Promise<readonly There[]> {
  const texts = [...new Set(references.map(({ reference }) => reference))];
  if (texts.length === 0) return [];
  return await sql<There[]>`
    SELECT id, kind, name, region, provider, status, requested, current_job_id AS "currentJobId", labels,
      deletion_protection AS "deletionProtection", quota, ${sql.unsafe(maintainerOfResource)} ->> 'name' AS maintainer FROM resources r
    WHERE project_id = ${projectId} AND deleted_at IS NULL
      AND (name = ANY(${texts.filter((text) => !isId(text))}::text[]) OR id = ANY(${texts.filter(isId)}::uuid[]))`;
}

export interface User {
  readonly usedId: string;
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
}

/** What uses these resources. */
export async function usersOf(sql: Sql | TransactionSql, usedIds: readonly string[]): Promise<readonly User[]> {
  if (usedIds.length === 0) return [];
  return await sql<User[]>`
    SELECT u.used_id AS "usedId", x.id, x.kind, x.name FROM resource_uses u JOIN resources x ON x.id = u.user_id
    WHERE u.used_id = ANY(${[...usedIds]}::uuid[]) AND x.deleted_at IS NULL ORDER BY x.name`;
}

/** A job of this kind in this place. */
export interface JobKind {
  readonly type: OperationType;
  readonly region: string;
  readonly provider: string;
}

/** So many of the newest jobs are looked at for each kind of job. */
const lookedAt = 100;

/**
 * How many seconds such jobs took, in the median of the newest that succeeded, in the order of the kinds; null where
 * there is none. Over all tenants: it is the provider's speed.
 */
export async function usualSeconds(sql: Sql, kinds: readonly JobKind[]): Promise<readonly (number | null)[]> {
  if (kinds.length === 0) return [];
  const rows = await sql.unsafe<{ seconds: number | null }[]>(
    `SELECT (
      SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM j.ended_at - j.started_at))
        FILTER (WHERE j.input ->> 'provider' = k.provider)
      FROM (
        SELECT input, started_at, ended_at FROM jobs
        WHERE type = k.type AND region = k.region AND state = 'SUCCEEDED' ORDER BY id DESC LIMIT ${lookedAt}
      ) j
    )::float8 AS seconds
    FROM ROWS FROM (jsonb_to_recordset($1::text::jsonb) AS (type text, region text, provider text))
      WITH ORDINALITY AS k(type, region, provider, at) ORDER BY k.at`,
    [JSON.stringify(kinds)],
  );
  return rows.map(({ seconds }) => seconds);
}
