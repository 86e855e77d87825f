import { oneLine, pad, widthOf } from './text.ts';

export interface Column<Item> {
  readonly header: string;
  /** `now` in milliseconds, for ages. */
  readonly value: (item: Item, now: number) => string;
  /** Left out where no item has anything in it. */
  readonly optional?: true;
}

/** Aligned columns under upper-case headers. Nothing is cut, so that it can be piped and searched. */
export function table<Item>(columns: readonly Column<Item>[], items: readonly Item[], now: number): string {
  const filled = columns
    .map(({ header, value, optional }) => ({ header, optional, cells: items.map((item) => oneLine(value(item, now))) }))
    .filter(({ optional, cells }) => !optional || cells.some((cell) => cell !== ''));
  const widths = filled.map(({ header, cells }) =>
    cells.reduce((most, cell) => Math.max(most, widthOf(cell)), header.length),
  );
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, at) => pad(cell, widths[at] ?? 0))
      .join('   ')
      .trimEnd()}\n`;
  const rows = items.map((_, row) => line(filled.map(({ cells }) => cells[row] ?? '')));
  return line(filled.map(({ header }) => header)) + rows.join('');
}

/** One thing, a property a line; what is empty is left out. */
export function properties(pairs: readonly (readonly [name: string, value: string | null])[]): string {
  const shown = pairs.flatMap(([name, value]) => (value ? [[name, oneLine(value)] as const] : []));
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${pad(name, width)}   ${value}\n`).join('');
}
