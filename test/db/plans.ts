import postgres, { type Sql } from 'postgres';

/** A statement as it was sent. */
interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** What a statement's plan reads. */
export interface Reads {
  /** Tables read from end to end, if there is anything in them. */
  readonly whole: readonly string[];
  /** Rows that all scans together gave or threw away. */
  readonly rows: number;
}

/** A client whose statements are remembered. */
export function listeningClient(url: string): { sql: Sql; sent: Sent[] } {
  const sent: Sent[] = [];
  const debug = (_: number, text: string, values: unknown[]) => {
    if (!text.includes('pg_catalog')) sent.push({ text, values });
  };
  return { sql: postgres(url, { max: 1, onnotice: () => undefined, debug }), sent };
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Date) return `'${value.toISOString()}'`;
  const text = Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join(',')}}` : String(value);
  return `'${text.replaceAll("'", "''")}'`;
}

/** Runs a statement as PostgreSQL plans it for these values, or for any, and takes back what it wrote. */
export async function readsOf(
  sql: Sql,
  { text, values }: Sent,
  planFor: 'these values' | 'any values',
): Promise<Reads> {
  const transaction = await sql.reserve();
  try {
    await transaction.unsafe('BEGIN');
    await transaction.unsafe(
      `SET LOCAL plan_cache_mode = force_${planFor === 'any values' ? 'generic' : 'custom'}_plan`,
    );
    await transaction.unsafe(`PREPARE looked_at AS ${text}`);
    const execute = `EXECUTE looked_at${values.length > 0 ? `(${values.map(literal).join(', ')})` : ''}`;
    const [row] = await transaction.unsafe<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${execute}`,
    );
    const [explained] = row?.['QUERY PLAN'] ?? [];
    if (!explained) throw new Error('no plan');
    const nodes = flatten(explained.Plan).filter((node) => node['Relation Name'] !== undefined);
    return {
      whole: nodes.flatMap((node) =>
        node['Node Type'] === 'Seq Scan' && rowsOf(node) > 0 ? [node['Relation Name'] ?? ''] : [],
      ),
      rows: Math.round(nodes.reduce((sum, node) => sum + rowsOf(node), 0)),
    };
  } finally {
    await transaction.unsafe('ROLLBACK');
    await transaction.unsafe('DEALLOCATE ALL');
    transaction.release();
  }
}

const rowsOf = (node: PlanNode): number =>
  node['Actual Loops'] *
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
