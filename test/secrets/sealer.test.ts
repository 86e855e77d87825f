import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ensureKeyFile, newKeyLine } from '../../src/secrets/key-file.ts';
import type { Sealer } from '../../src/secrets/sealer.ts';
import { openSealer, openSpec, sealSpec, veiled } from '../../src/secrets/specs.ts';
import { createDatabase } from '../harness/databases.ts';

let sql: Sql;
let home: string;
let secretKeyFile: string;
const secret = '#cloud-config\npassword: correct horse';

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'millwright-sealer-'));
  secretKeyFile = join(home, 'secret.keys');
  ensureKeyFile(secretKeyFile);
  sql = postgres(await createDatabase(inject('parts').postgresUrl), { max: 4 });
});
afterAll(async () => {
  await sql.end();
  rmSync(home, { recursive: true, force: true });
});

/** As another process would have it: it remembers nothing. */
const newSealer = (): Sealer => openSealer({ secretKeyFile }, sql);

test('what one process seals another opens, in its own place alone', async () => {
  const sealed = await newSealer().seal(secret, 'webhooks.secret/1');
  expect(sealed).toMatch(/^mws1\.[0-9a-f-]{36}\.[\w-]+$/);
  expect(await newSealer().unseal(sealed, 'webhooks.secret/1')).toBe(secret);
  await expect(newSealer().unseal(sealed, 'webhooks.secret/2')).rejects.toThrow('cannot be opened');
  await expect(newSealer().unseal(`${sealed.slice(0, -4)}AAAA`, 'webhooks.secret/1')).rejects.toThrow(
    'cannot be opened',
  );
});

test('processes share one data key, which the database holds wrapped', async () => {
  const sealed = await Promise.all([1, 2, 3].map(() => newSealer().seal(secret, 'a')));
  const ids = sealed.map((text) => text.split('.')[1]);
  expect(new Set(ids).size).toBe(1);
  const [row] = await sql<{ keyId: string }[]>`SELECT key_id AS "keyId" FROM data_keys WHERE id = ${ids[0] ?? ''}`;
  expect(readFileSync(secretKeyFile, 'utf8')).toContain(`${row?.keyId}:`);
});

test('the same secret twice is never the same text, and has one fingerprint, also in another process', async () => {
  const sealer = newSealer();
  expect(await sealer.seal(secret, 'a')).not.toBe(await sealer.seal(secret, 'a'));
  expect(await sealer.fingerprint(secret)).toBe(await newSealer().fingerprint(secret));
  expect(await sealer.fingerprint(secret)).not.toBe(await sealer.fingerprint(`${secret} `));
});

test('a promoted key is noticed by a process that runs, and what was sealed before still opens', async () => {
  const sealer = newSealer();
  const before = await sealer.seal(secret, 'a');
  writeFileSync(secretKeyFile, `${newKeyLine('promoted')}\n${readFileSync(secretKeyFile, 'utf8')}`);
  expect(await newSealer().seal(secret, 'a')).not.toContain(before.split('.')[1]);
  expect(await sealer.unseal(before, 'a')).toBe(secret);
  expect(await newSealer().unseal(before, 'a')).toBe(secret);
  expect(await sql`SELECT 1 FROM data_keys WHERE key_id = 'promoted'`).toHaveLength(1);
});

test('of a spec only its secrets are sealed; one without secrets is the very same', async () => {
  const sealer = newSealer();
  const spec = { name: 'web', userData: secret, networks: [{ key: 'k' }] };
  const sealed = await sealSpec(sealer, 'vm', spec, 'jobs.input/1');
  expect(sealed).toEqual({ ...spec, userData: { $sealed: expect.stringMatching(/^mws1\./) } });
  expect(await openSpec(sealer, sealed, 'jobs.input/1')).toEqual(spec);
  await expect(openSpec(sealer, sealed, 'jobs.input/2')).rejects.toThrow('cannot be opened');
  const open = { ...spec, userData: '' };
  expect(await sealSpec(sealer, 'vm', open, 'jobs.input/1')).toBe(open);
  expect(await veiled(sealer, 'vm', spec)).toEqual({ ...spec, userData: { $fingerprint: expect.any(String) } });
});
