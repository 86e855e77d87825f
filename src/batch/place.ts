import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';

/** From 1, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}
export type Path = readonly PropertyKey[];

/** Finds where a value stands (through an alias: where it is written), or its key; for what is not there, its parent. */
export type Locate = (path: Path, at?: 'key' | 'value') => Place;

export function placeOf(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: col };
}

const isNode = (value: unknown): value is Node => isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
export const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0);
export const keyOf = ({ key }: Pair): string | undefined =>
  isScalar(key) && key.value !== null ? String(key.value) : undefined;

/** Finds places by path; each mapping's keys are indexed when one is first looked for in it. */
export function placer(root: Node, targets: ReadonlyMap<Alias, Node>, lines: LineCounter): Locate {
  const indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
  const indexOf = (map: YAMLMap): ReadonlyMap<string, Pair> => {
    const index = indexes.get(map) ?? new Map(map.items.toReversed().map((pair) => [keyOf(pair) ?? '', pair]));
    indexes.set(map, index);
    return index;
  };
  const followed = (node: unknown): unknown => (isAlias(node) ? followed(targets.get(node)) : node);

  return (path, at = 'value') => {
    let node: unknown = root;
    let offset = startOf(root);
    for (const [depth, key] of path.entries()) {
      const holder = followed(node);
      const pair = isMap(holder) ? indexOf(holder).get(String(key)) : undefined;
      node = isSeq(holder) ? holder.items[Number(key)] : pair?.value;
      if (!isNode(node) && !pair) break;
      const wantsKey = at === 'key' && depth === path.length - 1;
      offset = startOf(pair && (wantsKey || !isNode(node)) ? pair.key : followed(node));
    }
    return placeOf(offset, lines);
  };
}
