import type { FaultEffect } from './faults.ts';
import type { Operation } from './wire.ts';

/** One request to the provider's side. */
export interface Call {
  /** ISO 8601, when it came. */
  readonly at: string;
  readonly operation: Operation;
  readonly region: string;
  key: string | null;
  name: string | null;
  /** Of the answer; `null` while there is none, and for ever where a fault or the client kept it from being sent. */
  status: number | null;
  fault: FaultEffect | null;
}

/** So many are kept: enough for a test to look back over, in memory because no caller depends on them. */
const kept = 10_000;

export interface CallLog {
  add(call: Pick<Call, 'operation' | 'region' | 'key'>): Call;
  list(): readonly Call[];
  clear(): void;
}

export function createCallLog(): CallLog {
  let calls: Call[] = [];
  return {
    add: (call) => {
      const entry: Call = { at: new Date().toISOString(), ...call, name: null, status: null, fault: null };
      calls.push(entry);
      // Cut in halves and not one by one, so that a full log costs no more for each call than an empty one.
      if (calls.length >= 2 * kept) calls = calls.slice(-kept);
      return entry;
    },
    list: () => calls.slice(-kept),
    clear: () => {
      calls = [];
    },
  };
}
