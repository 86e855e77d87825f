import type { ASTNode } from '@marcbachmann/cel-js';

/** An operation that an expression looks at. */
export interface LookedAt {
  readonly id: string;
  /** Only at its `state`. */
  readonly stateOnly: boolean;
  /** The way to the output, where it is named. */
  readonly output: readonly string[];
  readonly at: number;
}

interface Names {
  readonly operations: readonly LookedAt[];
  readonly variables: readonly { readonly name: string; readonly at: number }[];
  readonly each: readonly { readonly field: string | undefined; readonly at: number }[];
  /** States that the state of an operation is compared with. */
  readonly states: readonly { readonly state: string; readonly at: number }[];
  /** What is not supported, each in a sentence. */
  readonly faults: readonly { readonly detail: string; readonly at: number }[];
}

type Mutable<Lists> = { -readonly [Key in keyof Lists]: Lists[Key] extends readonly (infer Item)[] ? Item[] : never };

const macros: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter', 'bind'];

interface Walking {
  readonly names: Mutable<Names>;
  /** As it was written. */
  readonly expression: string;
}

/** The names in an expression that has been read, in order. */
export function namesIn(ast: ASTNode, expression: string): Names {
  const names: Mutable<Names> = { operations: [], variables: [], each: [], states: [], faults: [] };
  walk(ast, { names, expression }, 0);
  return names;
}

function walk(node: ASTNode, walking: Walking, depth: number): void {
  const { names, expression } = walking;
  const chain = chainOf(node, expression);
  const [root, ...way] = chain ?? [];
  if (root === 'operations') operation(way, node, names);
  else if (root === 'variables' && way[0] !== undefined) names.variables.push({ name: way[0], at: node.start });
  else if (root === 'variables') names.faults.push({ at: node.start, detail: 'Expected variables.NAME.' });
  else if (root === 'each') names.each.push({ field: way[0], at: node.start });
  if (chain) return;
  compareStates(node, walking);
  const call = node.op === 'call' || node.op === 'rcall' ? node.args[0] : '';
  const isMacro = macros.includes(call);
  if (call === 'matches') {
    names.faults.push({
      at: node.start,
      detail: '"matches" is not supported. Expected startsWith, endsWith, contains or "in".',
    });
  }
  if (isMacro && depth > 0)
    names.faults.push({ at: node.start, detail: `"${call}" within another such call is not supported.` });
  for (const child of childrenOf(node)) walk(child, walking, isMacro ? depth + 1 : depth);
}

function operation([id, field, ...output]: readonly string[], node: ASTNode, names: Mutable<Names>): void {
  if (id === undefined)
    names.faults.push({ at: node.start, detail: 'Expected operations.ID.state or operations.ID.outputs.NAME.' });
  else if (field !== 'state' && field !== 'outputs') {
    const detail = `Expected operations.${id}.state or operations.${id}.outputs.NAME.`;
    names.faults.push({ at: node.start, detail });
  } else names.operations.push({ id, stateOnly: field === 'state', output, at: node.start });
}

function compareStates(node: ASTNode, { names, expression }: Walking): void {
  if (node.op !== '==' && node.op !== '!=') return;
  const [one, other] = node.args;
  for (const [left, right] of [
    [one, other],
    [other, one],
  ] as const) {
    const [root, , field, more] = chainOf(left, expression) ?? [];
    if (root !== 'operations' || field !== 'state' || more !== undefined || right.op !== 'value') continue;
    if (typeof right.args === 'string') names.states.push({ state: right.args, at: right.start });
  }
}

/** `a.b["c"]` as a, b, c; undefined for anything else. A name is as the expression has it, hyphens included. */
function chainOf(node: ASTNode, expression: string): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op === '.') {
    const before = chainOf(node.args[0], expression);
    return before && [...before, expression.slice(node.pos, node.pos + node.args[1].length)];
  }
  if (node.op !== '[]') return undefined;
  const [holder, key] = node.args;
  const before = chainOf(holder, expression);
  if (!before || key.op !== 'value') return undefined;
  return typeof key.args === 'string' || typeof key.args === 'bigint' ? [...before, String(key.args)] : undefined;
}

/** The nodes that a node is made of. */
function childrenOf(node: ASTNode): ASTNode[] {
  const nodes: ASTNode[] = [];
  const look = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(look);
    else if (isNode(part)) nodes.push(part);
  };
  look(node.args);
  return nodes;
}

const isNode = (part: unknown): part is ASTNode =>
  typeof part === 'object' && part !== null && 'op' in part && 'args' in part && 'start' in part;
