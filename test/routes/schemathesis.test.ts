import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Api } from '../harness/api.ts';
import { schemathesis, whyNoSchemathesis } from '../harness/schemathesis.ts';
import { cases } from './cases.ts';
import { operationsOf } from './operations.ts';
import { startWorld, type World } from './world.ts';

/**
 * Whatever a machine can think of to send, there is no 5xx and no answer outside of its schema. Left out where it cannot
 * be installed, unless in CI.
 */
const missing = await whyNoSchemathesis();
if (missing && process.env.CI === 'true') throw new Error(`schemathesis cannot run: ${missing}`);
if (missing) console.warn(`left out: the API is not tried with schemathesis, because ${missing}`);

let world: World;
let directory: string;
let config: string;
beforeAll(async () => {
  if (missing) return;
  world = await startWorld();
  directory = mkdtempSync(join(tmpdir(), 'millwright-schemathesis-'));
  config = join(directory, 'schemathesis.toml');
  // What is only read is read of what is there, for an answer to be looked at.
  const operations = await operationsOf(world.operator.url);
  const known = operations.flatMap(({ id, method }) => {
    const params = Object.entries(cases[id]?.what(world.ours, world).params ?? {});
    if (method !== 'GET' || params.length === 0) return [];
    return [
      `[[operations]]\ninclude-operation-id = "${id}"\n[operations.parameters]\n${params.map(([name, value]) => `"path.${name}" = "${value}"`).join('\n')}\n`,
    ];
  });
  writeFileSync(config, known.join('\n'));
}, 120_000);
afterAll(async () => {
  if (missing) return;
  await world.platform.stop();
  rmSync(directory, { recursive: true, force: true });
});

const optionsFor = (api: Api, ...more: string[]): string[] => [
  '--config-file',
  config,
  'run',
  `${api.url}/api/openapi.json`,
  ...['-H', `Authorization: Bearer ${api.token}`],
  ...['--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'],
  // Streams have no end to wait for, and to revoke the token at work would end the run.
  ...[
    '--exclude-path-regex',
    '/events$|/watch$',
    '--exclude-operation-id',
    'delete-token',
    '--exclude-operation-id',
    'revoke-token',
  ],
  // One worker: CPython 3.11 loses count of its recursion where two compile at once (python/cpython#106905).
  ...['--workers', '1'],
  ...['--seed', '1', '--no-color'],
  ...more,
];

test.skipIf(missing !== undefined)(
  'an operator’s requests at every edge of every schema',
  async () => {
    expect(await schemathesis(optionsFor(world.operator, '--phases', 'coverage', '--max-time', '40'), directory)).toBe(
      '',
    );
  },
  240_000,
);

test.skipIf(missing !== undefined)(
  'a member’s requests at random',
  async () => {
    expect(
      await schemathesis(
        optionsFor(world.ours.member, '--phases', 'fuzzing', '--max-examples', '3', '--max-time', '20'),
        directory,
      ),
    ).toBe('');
  },
  240_000,
);
