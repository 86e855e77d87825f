import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import type { Fault } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import type { Locate, Path, Place } from './place.ts';
import { deepest, emptyFile, nowhere, type Read, Unreadable, unreadable } from './read.ts';

/** A value of a TOML file with the places of its key and of itself, and of what is in it. */
interface Spot {
  readonly key: Place;
  readonly value: Place;
  readonly parts: Map<string, Spot>;
}

/** Reads TOML 1.0 and 1.1. Dates and times become the text that they are written as. */
export function readToml(text: string): Read {
  if (text.trim() === '') return unreadable(emptyFile);
  try {
    const [table] = parseTOML(text).body;
    const reader = new TomlReader();
    for (const entry of table.body) reader.readTop(entry);
    return { value: reader.value, faults: reader.faults, place: placer(reader.root) };
  } catch (error) {
    if (error instanceof Unreadable) return { value: undefined, faults: [error.fault], place: nowhere };
    if (error instanceof RangeError) return unreadable('Nested too deeply.');
    if (!(error instanceof ParseError)) throw error;
    const fault = {
      pointer: '',
      detail: `This is not TOML: ${error.message}.`,
      line: error.lineNumber,
      column: error.column + 1,
    };
    return { value: undefined, faults: [fault], place: nowhere };
  }
}

const placeOf = ({ loc }: AST.TOMLNode): Place => ({ line: loc.start.line, column: loc.start.column + 1 });

type Table = Record<string, unknown>;

class TomlReader {
  readonly value: Table = {};
  readonly faults: Fault[] = [];
  readonly root: Spot = { key: { line: 1, column: 1 }, value: { line: 1, column: 1 }, parts: new Map() };

  readTop(entry: AST.TOMLKeyValue | AST.TOMLTable): void {
    if (entry.type === 'TOMLKeyValue') {
      this.#readPair(entry, this.value, this.root, []);
      return;
    }
    const path = entry.resolvedKey;
    const { table, spot } = this.#open(this.value, this.root, path, entry.key);
    for (const pair of entry.body) this.#readPair(pair, table, spot, path);
  }

  #readPair({ key, value }: AST.TOMLKeyValue, into: Table, at: Spot, before: Path): void {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
    const path = [...before, ...names];
    const { table, spot } = this.#open(into, at, names.slice(0, -1), key);
    const name = names.at(-1) ?? '';
    if (!this.#accepts(name, path, key)) return;
    const own: Spot = { key: placeOf(key), value: placeOf(value), parts: new Map() };
    spot.parts.set(name, own);
    table[name] = this.#read(value, own, path);
  }

  #read(node: AST.TOMLContentNode, spot: Spot, path: Path): unknown {
    if (path.length > deepest)
      throw new Unreadable({
        pointer: pointerOf(path),
        detail: `Nested more than ${deepest} levels deep.`,
        ...placeOf(node),
      });
    if (node.type === 'TOMLInlineTable') {
      const table: Table = {};
      for (const pair of node.body) this.#readPair(pair, table, spot, path);
      return table;
    }
    if (node.type === 'TOMLArray') {
      return node.elements.map((element, index) => {
        const own: Spot = { key: placeOf(element), value: placeOf(element), parts: new Map() };
        spot.parts.set(String(index), own);
        return this.#read(element, own, [...path, index]);
      });
    }
    return 'datetime' in node ? node.datetime : node.value;
  }

  /** The table at a path, made where it is not there yet; a number is the place in a list of tables. */
  #open(from: Table, at: Spot, path: Path, node: AST.TOMLNode): { readonly table: Table; readonly spot: Spot } {
    let holder: unknown = from;
    let spot = at;
    for (const [depth, step] of path.entries()) {
      const name = String(step);
      if (typeof holder !== 'object' || holder === null || !this.#accepts(name, path.slice(0, depth + 1), node)) break;
      if (!Object.hasOwn(holder, name)) Reflect.set(holder, name, typeof path[depth + 1] === 'number' ? [] : {});
      const own = spot.parts.get(name) ?? { key: placeOf(node), value: placeOf(node), parts: new Map<string, Spot>() };
      spot.parts.set(name, own);
      [holder, spot] = [Reflect.get(holder, name), own];
    }
    return { table: isTable(holder) ? holder : {}, spot };
  }

  #accepts(name: string, path: Path, node: AST.TOMLNode): boolean {
    if (name !== '__proto__') return true;
    this.faults.push({ pointer: pointerOf(path), detail: 'A key cannot have this name.', ...placeOf(node) });
    return false;
  }
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Finds places by path; for what is not there, its parent's. */
const placer =
  (root: Spot): Locate =>
  (path, at = 'value') => {
    let spot = root;
    for (const [depth, key] of path.entries()) {
      const next = spot.parts.get(String(key));
      if (!next) break;
      if (at === 'key' && depth === path.length - 1) return next.key;
      spot = next;
    }
    return spot.value;
  };
