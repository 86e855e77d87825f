import type { MadeKind } from './kinds.ts';

/** What a provider shows of one field of a thing, as text, number, list of texts in their order, or null for none. */
export type ObservedValue = string | number | null | readonly string[];

/**
 * A thing that carries our tag, as its provider shows it, in our words. A field that a driver leaves out is compared with
 * nothing: it is not known there.
 */
export interface Observation {
  readonly key: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, ObservedValue>>;
}

/** In the order of their keys, as bytes. */
export interface ObservedPage {
  readonly observations: readonly Observation[];
  /** Whether there is more after the last of these. */
  readonly more: boolean;
}

/** So many things are told of at once: 500 of them are some 200 KB. */
export const observedAtOnce = 500;

/** `missing`: it should be there. `orphaned`: it is there, and nothing says that it should. `changed`: a field is another. */
export const driftClasses = ['missing', 'orphaned', 'changed'] as const;
type DriftClass = (typeof driftClasses)[number];

/** What one comparison found wrong. */
export interface Finding {
  readonly class: DriftClass;
  readonly kind: MadeKind;
  readonly key: string;
  readonly name: string;
  /** Of the row that it is about, where there is one: an orphan may have had one. */
  readonly resourceId: string | null;
  /** Of `changed` alone; else empty. */
  readonly field: string;
  readonly wanted: ObservedValue;
  readonly found: ObservedValue;
}

/** One provider in one region: what is compared at a time. */
export interface Scope {
  readonly region: string;
  readonly provider: string;
}

/** `unsupported`: its driver cannot show what it has. `observer-wrong`: so much is wrong that it is rather the list. */
export const notComparedReasons = ['worker-away', 'provider-away', 'observer-wrong', 'unsupported'] as const;

/** What a run came to. */
export type RunOutcome =
  | {
      readonly state: 'compared';
      /** How many should be there, and are. */
      readonly wanted: number;
      readonly found: number;
      /** What differs, believed or not yet. */
      readonly findings: number;
    }
  | {
      readonly state: 'not-compared';
      readonly reason: (typeof notComparedReasons)[number];
      readonly message: string;
      /** ISO 8601: since when no run has compared it. */
      readonly since: string;
    };

/** So few findings are no sign that the list is wrong, whatever their share. */
const fewFindings = 5;
/** No more are kept of a run: whoever finds so many has to look at the provider itself. */
export const mostFindings = 2000;

/** Whether so much of a scope is found wrong that it is rather the observer that is: then nothing of it is believed. */
export function isObserverWrong(
  { wanted, found, wrong }: { readonly wanted: number; readonly found: number; readonly wrong: number },
  share: number,
): boolean {
  return wrong > mostFindings || (wrong > fewFindings && wrong > share * Math.max(wanted, found));
}
