import { type Alias, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml';
import type { Fault } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import { quoted } from './near.ts';
import { keyOf, type Path, placeOf, startOf } from './place.ts';
import { deepest, Unreadable } from './read.ts';

/** Nodes after every alias has been followed, so that a few lines cannot stand for a billion. */
const mostNodes = 2_000_000;
/** Turns the nodes of a document into plain values, in one walk. */
export class Reader {
  readonly faults: Fault[] = [];
  /** What each alias stands for: in YAML, the nearest anchor of its name before it. */
  readonly targets = new Map<Alias, Node>();
  readonly #anchors = new Map<string, Node>();
  /** The mappings and lists that are being read. */
  readonly #open = new Set<Node>();
  readonly #lines: LineCounter;
  #nodes = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  read(node: unknown, path: Path): unknown {
    this.#nodes += 1;
    if (this.#nodes > mostNodes)
      throw this.#unreadable(
        node,
        path,
        `Aliases make this file more than ${mostNodes} values long. Write less with aliases.`,
      );
    if (path.length > deepest) throw this.#unreadable(node, path, `Nested more than ${deepest} levels deep.`);
    if (isAlias(node)) return this.read(this.#target(node, path), path);
    if (!isScalar(node) && !isSeq(node) && !isMap(node)) return null;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return node.value;
    this.#open.add(node);
    const value = isMap(node)
      ? this.#readMap(node, path)
      : node.items.map((item, index) => this.read(item, [...path, index]));
    this.#open.delete(node);
    return value;
  }

  #readMap(map: YAMLMap, path: Path): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const keys = new Map<string, unknown>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      const fault = key === undefined ? 'Expected a key that is text.' : this.#faultOfKey(key, keys);
      if (fault !== undefined) this.#fault(pair.key, [...path, key ?? ''], fault);
      else if (key !== undefined) value[key] = this.read(pair.value, [...path, key]);
      if (key !== undefined && !keys.has(key)) keys.set(key, pair.key);
    }
    return value;
  }

  #faultOfKey(key: string, before: ReadonlyMap<string, unknown>): string | undefined {
    if (key === '<<') return 'Merge keys ("<<") are not supported. Write the keys out.';
    if (key === '__proto__') return 'A key cannot have this name.';
    if (!before.has(key)) return undefined;
    const { line } = placeOf(startOf(before.get(key)), this.#lines);
    return `The key ${quoted(key)} is in this mapping already, in line ${line}. Remove one of the two.`;
  }

  #target(alias: Alias, path: Path): Node {
    const target = this.#anchors.get(alias.source);
    if (!target) throw this.#unreadable(alias, path, `There is no anchor "&${alias.source}" before this alias.`);
    if (this.#open.has(target))
      throw this.#unreadable(alias, path, `The alias "*${alias.source}" stands for what it is in itself.`);
    this.targets.set(alias, target);
    return target;
  }

  #fault(node: unknown, path: Path, detail: string): void {
    this.faults.push({ pointer: pointerOf(path), detail, ...placeOf(startOf(node), this.#lines) });
  }

  #unreadable(node: unknown, path: Path, detail: string): Unreadable {
    return new Unreadable({ pointer: pointerOf(path), detail, ...placeOf(startOf(node), this.#lines) });
  }
}
