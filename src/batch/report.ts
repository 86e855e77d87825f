import { type Fault, MillwrightError } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import type { Path } from './place.ts';
import type { Source } from './source.ts';

/** Somewhere in one of the files that make a batch. */
export interface Where {
  readonly source: Source;
  readonly path: Path;
  /** The member of a group that is read from there, where there are several. */
  readonly member?: string | undefined;
}

export const within = (where: Where, ...keys: readonly PropertyKey[]): Where => ({
  ...where,
  path: [...where.path, ...keys],
});

/** Collects what is wrong. What is wrong with many members of a group in one place is told of the first. */
export class Report {
  readonly #faults: Fault[] = [];
  /** By place: the member that it was told of. */
  readonly #told = new Map<string, string | undefined>();
  readonly #details = new Set<string>();
  readonly #files: (string | undefined)[] = [];

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  tell({ source, path, member }: Where, detail: string, at?: 'key' | 'value'): void {
    const pointer = pointerOf(path);
    const spot = `${source.file ?? ''}\0${pointer}`;
    const same = `${spot}\0${detail}`;
    if (this.#details.has(same) || (this.#told.has(spot) && this.#told.get(spot) !== member)) return;
    this.#details.add(same);
    this.#told.set(spot, member);
    const told = member === undefined ? detail : `${detail} (In "${member}".)`;
    this.#add(source, { pointer, detail: told, ...source.place(path, at) });
  }

  /** Whether something is wrong there already, of which more would only follow. */
  isTold({ source, path }: Where): boolean {
    return this.#told.has(`${source.file ?? ''}\0${pointerOf(path)}`);
  }

  /** What was found wrong while a file was read; once for each. */
  tellSyntax(source: Source): void {
    if (this.#files.includes(source.file)) return;
    this.#files.push(source.file);
    for (const fault of source.faults) this.#add(source, fault);
  }

  lineOf({ source, path }: Where): string {
    const line = `line ${source.place(path).line}`;
    return source.file === undefined ? line : `${line} of ${source.file}`;
  }

  #add({ file }: Source, fault: Fault): void {
    this.#faults.push({ ...fault, ...(file !== undefined && { file }) });
  }

  /** Every fault at once, file by file, in the order of the text. */
  error(): MillwrightError {
    const fileOf = ({ file }: Fault): number => this.#files.indexOf(file);
    const ordered = this.#faults.toSorted(
      (one, other) =>
        fileOf(one) - fileOf(other) || (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
    );
    const [first] = ordered;
    const file = first?.file === undefined ? '' : `${first.file}, `;
    const where = first ? `in ${file}line ${first.line}, column ${first.column}: ${first.detail}` : '';
    const message =
      ordered.length === 1
        ? `The batch file has a fault ${where}`
        : `The batch file has ${ordered.length} faults; the first is ${where}`;
    return new MillwrightError('invalid', message, { faults: ordered });
  }
}
