import type { Sql } from 'postgres';
import { listResources, type ResourceFilter } from '../../src/db/queries/resources.ts';
import { type GroupOptions, median, type Result, round } from '../measure.ts';
import { withDatabase } from './database.ts';

const resources = 100_000;
const pageSize = 100;
const looks = 15;
const goal = 1.5;
/** Under this a page is as fast as a query can be said to be. */
const noiseMs = 2;

/** Each gives to page through: half of all, or nearly all. */
const filters: Readonly<Record<string, ResourceFilter>> = {
  'no filter': {},
  status: { status: 'running' },
  region: { region: 'tpe-1' },
  label: { labels: { env: 'prod' } },
  'status, region and label': { status: 'running', region: 'tpe-1', labels: { env: 'prod' } },
};

/** K9: pages of 100,000 VMs: the last takes as long as the first, whatever is filtered by. */
export const benchLists = ({ note }: GroupOptions): Promise<Result[]> =>
  withDatabase(2, async (sql) => {
    const projectId = await fillProject(sql);
    const rows = [];
    const results: Result[] = [];
    for (const [name, filter] of Object.entries(filters)) {
      const cursors = await cursorsOf(sql, projectId, filter);
      const lastCursor = cursors.at(-1);
      const [first, last]: [number[], number[]] = [[], []];
      for (let look = 0; look < looks; look += 1) {
        first.push(await timed(sql, projectId, filter, undefined));
        last.push(await timed(sql, projectId, filter, lastCursor));
      }
      const [value, peerValue] = [median(last), median(first)];
      rows.push({ filter: name, pages: cursors.length + 1, firstMs: round(peerValue), lastMs: round(value) });
      const ratio = value / peerValue;
      results.push({
        ...{
          id: 'K9',
          what: `last page of ${resources} VMs, ${name}`,
          value: round(value),
          unit: 'ms',
          peer: 'first page',
        },
        ...{
          peerValue: round(peerValue),
          ratio: round(ratio),
          goal: `at most ${goal}`,
          holds: ratio <= goal || value < noiseMs,
        },
      });
    }
    note('lists', rows);
    return results;
  });

async function timed(sql: Sql, projectId: string, filter: ResourceFilter, cursor: string | undefined): Promise<number> {
  const began = performance.now();
  await listResources(sql, projectId, 'vm', filter, { limit: pageSize, cursor });
  return performance.now() - began;
}

/** Those of all pages, of the second to the last. */
async function cursorsOf(sql: Sql, projectId: string, filter: ResourceFilter): Promise<string[]> {
  const cursors: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { nextCursor } = await listResources(sql, projectId, 'vm', filter, { limit: pageSize, cursor });
    if (nextCursor === null) return cursors;
    cursors.push(nextCursor);
    cursor = nextCursor;
  }
}

async function fillProject(sql: Sql): Promise<string> {
  const [project] = await sql<{ id: string }[]>`SELECT id FROM projects LIMIT 1`;
  if (!project) throw new Error('a new database has a project');
  await sql`
    WITH r AS (
      INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, requested, quota)
      SELECT uuidv7(make_interval(secs => g)), p.organization_id, p.id, 'vm', 'vm-' || g, CASE WHEN g % 2 = 0 THEN 'running' ELSE 'stopped' END,
        CASE WHEN g % 3 = 0 THEN '{}' ELSE '{"env": "prod"}' END::jsonb, 'simulator', CASE WHEN g % 5 = 0 THEN 'nrt-1' ELSE 'tpe-1' END, '{}', '{}'
      FROM projects p, generate_series(1, ${resources}::int) g WHERE p.id = ${project.id} RETURNING id)
    INSERT INTO vms (resource_id, vcpus, memory_mib, disk_gib, image, ssh_keys) SELECT id, 1, 1, 1, 'debian-13', '{}' FROM r`;
  await sql`VACUUM ANALYZE`;
  return project.id;
}
