import type { Checking } from './checking.ts';
import type { Each } from './file.ts';
import { type Where, within } from './report.ts';
import {
  type EachReference,
  joined,
  malformedSentence,
  mapStrings,
  type Part,
  partOf,
  partsOf,
  textOf,
  type VariableReference,
} from './template.ts';
import type { Variables } from './variables.ts';

/** What the names in a part of a file mean. */
export interface Scope {
  /** What stands before the ids of its operations: `site/` within a nested batch. */
  readonly prefix: string;
  readonly variables: Variables;
  /** Within a `forEach`; its value as a file would have it. */
  readonly each?: Each | undefined;
}

/**
 * A value with variables and `each` put in their places. What refers to an operation's outputs is left, by the id that
 * the operation has once groups are spread out; so is a secret variable, by the request's name for it.
 */
export const substitute = (value: unknown, scope: Scope, at: Where, checking: Checking): unknown =>
  mapStrings(value, (text, path) => {
    const parts = partsOf(text);
    const where = path.length === 0 ? at : within(at, ...path);
    const placed = parts.map((part) => place(part, scope, where, checking));
    const [only] = placed;
    if (placed.length === 1 && only) return 'value' in only ? only.value : joined([only.part]);
    const written = joined(placed.flatMap((one) => ('value' in one ? partsOf(asText(one.value)) : [one.part])));
    // In `$` and a reference behind it nobody could tell an escape from the two.
    if (written.includes('$${') && placed.some((one, index) => endsInDollar(one) && refers(placed[index + 1]))) {
      checking.report.tell(
        where,
        'A "$" directly before a reference cannot be told from an escape. Put something between them.',
      );
    }
    return written;
  });

type Placed = { readonly part: Part } | { readonly value: unknown };

const asText = (value: unknown): string => (typeof value === 'string' ? value : textOf(value));
const endsInDollar = (one: Placed): boolean =>
  'value' in one ? asText(one.value).endsWith('$') : typeof one.part === 'string' && one.part.endsWith('$');
const refers = (one: Placed | undefined): boolean =>
  one !== undefined && ('value' in one ? asText(one.value).startsWith('${') : typeof one.part === 'object');

function place(part: Part, scope: Scope, at: Where, checking: Checking): Placed {
  if (typeof part === 'string') return { part };
  if ('malformed' in part) {
    checking.report.tell(at, malformedSentence(part));
    return { part };
  }
  if ('operationId' in part) return { part: { ...part, operationId: scope.prefix + part.operationId } };
  return 'variable' in part ? placeVariable(part, scope, at, checking) : placeEach(part, scope, at, checking);
}

function placeVariable(part: VariableReference, { variables }: Scope, at: Where, checking: Checking): Placed {
  const { report, spelling, budget } = checking;
  const variable = variables.get(part.variable);
  if (!variable) report.tell(at, spelling.unknown('variable', part.variable, [...variables.keys()]));
  if (!variable || variable.broken) return { part };
  if (variable.secret !== undefined) {
    if (part.path.length > 0) report.tell(at, `The variable "${part.variable}" has no parts: it is a text.`);
    return { part: { variable: variable.secret, path: [] } };
  }
  budget.spend(variable.size, at, report);
  return placePart(`the variable "${part.variable}"`, variable.value, part, at, checking);
}

function placeEach(part: EachReference, { each }: Scope, at: Where, checking: Checking): Placed {
  if (!each) {
    checking.report.tell(
      at,
      `There is no "each" here: it stands for the member of a "forEach", which this operation has not.`,
    );
    return { part };
  }
  const value = each[part.each];
  checking.budget.spend(
    typeof value === 'object' ? JSON.stringify(value).length : String(value).length,
    at,
    checking.report,
  );
  return placePart(`"each.${part.each}"`, value, part, at, checking);
}

function placePart(
  what: string,
  value: unknown,
  part: VariableReference | EachReference,
  at: Where,
  { report, spelling }: Checking,
): Placed {
  let found = value;
  for (const key of part.path) {
    const holder = found;
    found = partOf(holder, [key]);
    if (found !== undefined) continue;
    const keys = typeof holder === 'object' && holder !== null ? Object.keys(holder) : [];
    report.tell(at, spelling.unknown('part', key, keys, ` of ${what}`));
    return { part };
  }
  return { value: found };
}
