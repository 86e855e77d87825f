import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchApi } from './api.ts';
import type { Result } from './measure.ts';
import { benchPromise } from './promise.ts';

const groups: Readonly<Record<string, () => Promise<Result[]>>> = { api: benchApi, promise: benchPromise };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const unknown = positionals.filter((group) => !(group in groups));
if (unknown.length > 0) {
  console.error(`There is no group ${unknown.join(', ')}. There are: ${Object.keys(groups).join(', ')}.`);
  process.exit(2);
}

const results: Result[] = [];
for (const [name, run] of Object.entries(groups)) {
  if (positionals.length === 0 || positionals.includes(name)) results.push(...(await run()));
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
if (values.json) writeFileSync(values.json, `${JSON.stringify({ results }, null, 2)}\n`);
process.exitCode = results.every(({ holds }) => holds) ? 0 : 1;
