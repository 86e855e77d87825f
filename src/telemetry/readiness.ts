/** Something that a role needs for its work. */
export interface Part {
  /** `database`, `temporal`, `driver simulator`. */
  readonly name: string;
  /** Throws, or does not answer, where the part is away. */
  readonly check: () => PromiseLike<unknown>;
  /** True where the role can do its work without it for a while. */
  readonly spared?: true;
}

export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, 'ok' | 'away'>>;
}

/** How long a part may take to answer before it counts as away. */
const patienceMs = 2000;

/** Asks every part now. */
export async function readinessOf(parts: readonly Part[]): Promise<Readiness> {
  const states = await Promise.all(parts.map(({ check }) => stateOf(check)));
  return {
    ready: parts.every(({ spared }, index) => spared || states[index] === 'ok'),
    parts: Object.fromEntries(parts.map(({ name }, index) => [name, states[index] ?? 'away'])),
  };
}

/** Whether a part answers in time. */
export const stateOf = (check: Part['check']): Promise<'ok' | 'away'> =>
  inTime(check).then(
    () => 'ok',
    () => 'away',
  );

/** What is asked for, or an error where it takes too long: whoever watches a platform is answered also when parts of it hang. */
export async function inTime<Value>(ask: () => PromiseLike<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
