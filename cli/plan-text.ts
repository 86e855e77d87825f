import type { Plan, PlanDifference, PlanOperation } from '../src/domain/plan.ts';
import type { Paint } from './output.ts';
import { cut, duration, oneLine, pad } from './text.ts';

/** So many operations are shown, where not all are asked for. */
const shownAtMost = 100;
/** Longer values are cut: what differs can be read in JSON as a whole. */
const longestValue = 60;
const longestPath = 12;

const signs = {
  create: ['+', 'green'],
  change: ['~', 'yellow'],
  replace: ['-/+', 'red'],
  delete: ['-', 'red'],
  run: ['>', 'dim'],
  none: ['', 'dim'],
} as const;

interface Shown {
  /** Every operation, also those that do nothing. */
  readonly all: boolean;
  readonly paint: Paint;
}

export const doesNothing = ({ counts, operations }: Plan): boolean => operations.length === (counts.none ?? 0);

/** Whether something that is there would be no more. */
export const takesAway = ({ counts }: Plan): boolean => (counts.delete ?? 0) + (counts.replace ?? 0) > 0;

/** A plan as people read it, ending with its sum. */
export function planText(plan: Plan, { all, paint }: Shown): string {
  const told = plan.operations.filter(({ action, replacedBy }) => replacedBy === null && (all || action !== 'none'));
  const shown = all ? told : told.slice(0, shownAtMost);
  const width = shown.reduce((most, { id }) => Math.max(most, id.length), 0);
  const rest = told.length - shown.length;
  const lines = [
    ...shown.flatMap((operation) => operationLines(operation, width, paint)),
    ...(rest > 0 ? [`      … and ${rest.toLocaleString('en')} more; --all shows them.`] : []),
    ...(told.length > 0 ? [''] : []),
    ...(doesNothing(plan) ? [] : forecast(plan)),
    ...plan.warnings.map((warning) => `${paint('yellow', 'Warning:')} ${warning}`),
    sumOf(plan),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function operationLines(operation: PlanOperation, width: number, paint: Paint): string[] {
  const { id, type, action, resource, differences, reasons, conditional } = operation;
  const [sign, style] = signs[action];
  const name = resource ? `  ${resource.name}` : '';
  const when = conditional ? '  (if its condition holds)' : '';
  const head = oneLine(`${pad(id, width)}   ${type}${name}${when}`);
  const why = reasons.map((reason) => `because ${reason}`);
  return [
    `${paint(style, pad(sign, 3))} ${head}`,
    ...[...differences.map(differenceLine), ...why].map((line) => `      ${oneLine(line)}`),
  ];
}

function differenceLine({ field, before, after, replaces }: PlanDifference): string {
  const isSecret = before === after;
  const what = isSecret ? `${valueText(after)} changed` : `${valueText(before)} → ${valueText(after)}`;
  return `${field}: ${what}${replaces === null ? '' : `   (${replaces})`}`;
}

const valueText = (value: unknown): string => {
  const isMark = typeof value === 'string' && value.startsWith('(') && value.endsWith(')');
  return isMark ? value : cut(JSON.stringify(value) ?? '', longestValue);
};

function forecast({ waves, quota, criticalPath, estimate, operations, hash }: Plan): string[] {
  const sizes = waves.map(({ length }) => length);
  const more = sizes.length > longestPath ? ', …' : '';
  const bases = (from: PlanOperation['estimatedFrom']) =>
    operations.filter(({ wave, estimatedFrom }) => wave !== null && estimatedFrom === from).length;
  const scopes = quota.scopes.flatMap(({ scope, name, metrics }) =>
    metrics.map(({ metric, delta, used, limit, fits }) => {
      const left = limit === null ? 'no limit' : `${limit - used} left`;
      return `  ${scope} "${name}"   ${metric} ${delta < 0 ? '' : '+'}${delta} (${left})${fits ? '' : '   DOES NOT FIT'}`;
    }),
  );
  return [
    `Waves: ${sizes.length} (${sizes.slice(0, longestPath).join(', ')}${more} operations)`,
    ...(scopes.length > 0 ? ['Quota:', ...scopes] : []),
    `Critical path: ${pathText(criticalPath.operations)} (${roughly(criticalPath.seconds)})`,
    `Estimate: ${roughly(estimate.seconds)}, ${estimate.parallelLimit} at a time (${bases('past')} operations by past runs, ${bases('default')} by default)`,
    `Hash: ${hash}`,
    '',
  ];
}

function pathText(path: readonly string[]): string {
  if (path.length <= longestPath) return path.join(' → ');
  const half = longestPath / 2;
  return [...path.slice(0, half), `… ${path.length - longestPath} more …`, ...path.slice(-half)].join(' → ');
}

const roughly = (seconds: number): string => `about ${duration(seconds * 1000)}`;

function sumOf(plan: Plan): string {
  const { counts } = plan;
  const { create = 0, change = 0, replace = 0, delete: remove = 0, none = 0, run = 0 } = counts;
  const others = run > 0 ? `, ${run} to run` : '';
  if (doesNothing(plan)) return `Nothing to do: ${none === 1 ? 'it is' : `all ${none} are`} as the file says.`;
  return `Plan: ${create} to create, ${change} to change, ${replace} to replace, ${remove} to delete${others}, ${none} as they are.`;
}
