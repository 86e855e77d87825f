import type { Checking } from './checking.ts';
import { type Each, mostOperations } from './file.ts';
import { found } from './issues.ts';
import { quoted } from './near.ts';
import { type Where, within } from './report.ts';
import { type Scope, substitute } from './substitute.ts';
import { hasReference, withoutEscapes } from './template.ts';

/** What may stand behind a group's id, between slashes and dots. */
const keyForm = /^[A-Za-z0-9][\w-]{0,62}$/;

/**
 * The members that a `forEach` names: the entries of a mapping by their keys; those of a list by their own text, or, where
 * one is no text and no number, counted from 1; or so many, counted from 1.
 */
export function membersOf(raw: unknown, scope: Scope, at: Where, checking: Checking): Each[] {
  const { report } = checking;
  const value = substitute(raw, scope, at, checking);
  if (typeof value === 'string') {
    const isBroken = [...scope.variables.values()].some(({ broken }) => broken);
    if (!isBroken && !report.isTold(at)) report.tell(at, whyNoGroup(value, scope));
    return [];
  }
  if (typeof value === 'number') return counted(value, at, checking);
  if (typeof value !== 'object' || value === null) {
    report.tell(at, `Expected a list, a mapping or a number; found ${found(value)}.`);
    return [];
  }
  const keyed = Array.isArray(value) ? keysOfList(value) : Object.entries(value);
  if (keyed.length > mostOperations) {
    report.tell(at, `Expected at most ${mostOperations} entries; found ${keyed.length}.`);
    return [];
  }
  const seen = new Set<string>();
  return keyed.flatMap(([key, entry], index) => {
    const where = within(at, Array.isArray(value) ? index : key);
    if (!keyForm.test(key)) {
      report.tell(
        where,
        `Expected a key of up to 63 letters, digits, "-" and "_"; found ${quoted(key)}. Write a mapping with a key for each.`,
      );
      return [];
    }
    if (seen.has(key)) {
      report.tell(where, `${quoted(key)} is listed twice.`);
      return [];
    }
    seen.add(key);
    return [{ key, value: entry, index }];
  });
}

function keysOfList(list: readonly unknown[]): [string, unknown][] {
  const areNames = list.every((entry) => typeof entry === 'string' || typeof entry === 'number');
  return list.map((entry, index) => [areNames ? String(withoutEscapes(entry)) : String(index + 1), entry]);
}

function counted(count: number, at: Where, { report }: Checking): Each[] {
  if (!Number.isInteger(count) || count < 0 || count > mostOperations) {
    report.tell(at, `Expected a whole number from 0 to ${mostOperations}; found ${count}.`);
    return [];
  }
  return Array.from({ length: count }, (_, index) => ({ key: String(index + 1), value: index + 1, index }));
}

function whyNoGroup(value: string, { variables }: Scope): string {
  const secret = [...variables.values()].some(
    (variable) => variable.secret !== undefined && value.includes(variable.secret),
  );
  if (!hasReference(value))
    return `Expected a list, a mapping, a number or "\${variables.NAME}"; found ${found(value)}.`;
  return secret
    ? 'A secret variable cannot stand here: it may stand only where a field is secret.'
    : 'This has to be known before the batch begins: an output cannot stand here.';
}
