import type { Fault } from '../errors.ts';
import type { Locate, Place } from './place.ts';

/** What a reader makes of a text, whatever its format. */
export interface Read {
  readonly value: unknown;
  /** What is wrong with it whatever it says. Where `value` is undefined, nothing more can be found. */
  readonly faults: readonly Fault[];
  readonly place: Locate;
}

/** How deep mappings and lists may lie in each other. */
export const deepest = 64;
export const emptyFile = 'The file is empty. Expected a mapping with "name" and "operations".';

const start: Place = { line: 1, column: 1 };
export const nowhere: Locate = () => start;

/** A text that nothing can be made of. */
export const unreadable = (detail: string): Read => ({
  value: undefined,
  faults: [{ pointer: '', detail, ...start }],
  place: nowhere,
});

/** Ends the reading of a text. */
export class Unreadable extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.detail);
    this.fault = fault;
  }
}
