import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readRecord, recordedReleases } from './statements.ts';

/**
 * A migration runs while processes of the release before still work: it may add, and not take away or tighten. What the
 * new code no longer needs is taken away by the release after the next (expand, then contract). `migrations.test.ts` runs
 * the earlier release's statements; this says at once which line of a migration would break one.
 */
const folder = fileURLToPath(new URL('../../drizzle/', import.meta.url));
const newest = recordedReleases().toSorted().at(-1) ?? '';
const { migrations, texts } = readRecord(newest);

interface Rule {
  readonly what: string;
  readonly matches: RegExp;
}

/** `table` and `column` name what is touched; a table that the release before does not know is free. */
const rules: readonly Rule[] = [
  { what: 'drops a table', matches: /^DROP TABLE (?:IF EXISTS )?(?<table>\S+)/i },
  { what: 'renames', matches: /^ALTER TABLE (?<table>\S+) RENAME/i },
  { what: 'drops a column', matches: /^ALTER TABLE (?<table>\S+) DROP COLUMN (?:IF EXISTS )?(?<column>\S+)/i },
  { what: 'changes the type of a column', matches: /^ALTER TABLE (?<table>\S+) ALTER COLUMN \S+ (?:SET DATA )?TYPE/i },
  { what: 'makes a column mandatory', matches: /^ALTER TABLE (?<table>\S+) ALTER COLUMN \S+ SET NOT NULL/i },
  { what: 'drops a default', matches: /^ALTER TABLE (?<table>\S+) ALTER COLUMN \S+ DROP DEFAULT/i },
  {
    what: 'adds a column that the earlier release does not fill',
    matches: /^ALTER TABLE (?<table>\S+) ADD COLUMN (?!.*\b(?:DEFAULT|GENERATED)\b).*NOT NULL/i,
  },
  {
    what: 'adds a check or a unique constraint',
    matches: /^ALTER TABLE (?<table>\S+) ADD CONSTRAINT (?<constraint>\S+) (?:CHECK|UNIQUE|PRIMARY)/i,
  },
];

/** Constraints that the release before keeps by itself, each with why. */
const kept: Readonly<Record<string, string>> = {
  organization_quotas_never_negative: 'as that of the projects, by the same trigger',
  quotas_never_negative: 'it gives back what it has taken and no more; one that did not would have to be stopped',
};

const nameOf = (quoted: string): string => quoted.replace(/^.*\./, '').replaceAll('"', '').replace(/;$/, '');
const isUsed = (name: string): boolean => texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));

/** The lines of a migration that a process of the earlier release would not survive. */
function faultsOf(sql: string): string[] {
  return sql
    .split(/--> statement-breakpoint|;\s*$/m)
    .map((statement) => statement.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ').trim())
    .flatMap((statement) =>
      rules.flatMap(({ what, matches }) => {
        const { table = '', column, constraint = '' } = matches.exec(statement)?.groups ?? {};
        if (
          table === '' ||
          nameOf(constraint) in kept ||
          !isUsed(nameOf(table)) ||
          (column !== undefined && !isUsed(nameOf(column)))
        )
          return [];
        return [`${what}, which release ${newest} uses: ${statement}`];
      }),
    );
}

const later = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .toSorted()
  .slice(migrations);

test.each(later)('%s takes nothing away that the release before uses', (file) => {
  expect(faultsOf(readFileSync(folder + file, 'utf8'))).toEqual([]);
});

test.each([
  'ALTER TABLE "jobs" DROP COLUMN "leftovers";',
  'ALTER TABLE "public"."jobs" RENAME COLUMN "input" TO "request";',
  'ALTER TABLE "jobs" ADD COLUMN "must" text NOT NULL;',
  'ALTER TABLE "jobs" ALTER COLUMN "region" SET NOT NULL;',
  'ALTER TABLE "jobs"\n  ALTER COLUMN "input" SET DATA TYPE text;',
  'DROP TABLE "job_steps" CASCADE;',
])('a migration that says %s is refused', (statement) => {
  expect(faultsOf(`CREATE TABLE "other" ();--> statement-breakpoint\n${statement}`)).toHaveLength(1);
});

test.each([
  'ALTER TABLE "jobs" ADD COLUMN "may" text;',
  'ALTER TABLE "jobs" ADD COLUMN "filled" text DEFAULT \'\' NOT NULL;',
  'ALTER TABLE "new_here" ALTER COLUMN "a" SET NOT NULL;',
  'ALTER TABLE "jobs" DROP COLUMN "nobody_reads";',
])('a migration that says %s is not', (statement) => {
  expect(faultsOf(statement)).toEqual([]);
});
