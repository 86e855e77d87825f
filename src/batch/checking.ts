import type { Catalog } from './file.ts';
import type { Problem } from './issues.ts';
import type { Spelling } from './near.ts';
import type { Report, Where } from './report.ts';
import { within } from './report.ts';
import type { Source } from './source.ts';

/** What the reading of one batch needs everywhere. */
export interface Checking {
  readonly catalog: Catalog;
  readonly spelling: Spelling;
  readonly report: Report;
  readonly budget: Budget;
  /** A file that others may name; undefined where there is none. */
  readonly open: (file: string) => Source | undefined;
  /** The files that there are. */
  readonly files: readonly string[];
}

/** What variables may make of a file, so that a few lines cannot stand for a billion. */
const mostCharacters = 32 * 1024 * 1024;

/** Ends the reading of a batch; why has been told. */
export class TooLarge extends Error {}

export class Budget {
  #charactersLeft = mostCharacters;

  /** To be asked before variables are put in their places. */
  spend(characters: number, where: Where, report: Report): void {
    this.#charactersLeft -= characters;
    if (this.#charactersLeft >= 0) return;
    report.tell(where, 'Variables make this file larger than 32 MiB. Split it into several batches.');
    throw new TooLarge();
  }
}

/** Tells everything that a schema does not allow about a value. */
export function tellAll(problems: readonly Problem[], where: Where, report: Report): void {
  for (const { path, detail, atKey } of problems) report.tell(within(where, ...path), detail, atKey ? 'key' : 'value');
}
