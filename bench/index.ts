import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchApi } from './api.ts';
import { benchBatch } from './batch/index.ts';
import { benchDatacentre } from './datacentre/index.ts';
import type { GroupOptions, Result } from './measure.ts';
import { benchPromise } from './promise.ts';

const groups: Readonly<Record<string, (options: GroupOptions) => Promise<Result[]>>> = {
  api: benchApi,
  promise: benchPromise,
  batch: benchBatch,
  datacentre: benchDatacentre,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const unknown = positionals.filter((group) => !(group in groups));
if (unknown.length > 0) {
  console.error(`There is no group ${unknown.join(', ')}. There are: ${Object.keys(groups).join(', ')}.`);
  process.exit(2);
}

const results: Result[] = [];
const notes: Record<string, readonly unknown[]> = {};
const note: GroupOptions['note'] = (title, rows) => {
  notes[title] = rows;
  if (rows.length > 0) console.table(rows);
};
for (const [name, run] of Object.entries(groups)) {
  if (positionals.length === 0 || positionals.includes(name))
    results.push(...(await run({ full: values.full, only: values.only, note })));
}
console.table(
  results.map(({ id, what, value, unit, peer, peerValue, ratio, goal, holds }) => ({
    id,
    what,
    value: `${value} ${unit}`,
    peer: `${peer}: ${peerValue} ${unit}`,
    ratio,
    goal,
    holds,
  })),
);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ results, ...notes }, null, 2)}\n`);
process.exitCode = results.every(({ holds }) => holds) ? 0 : 1;
