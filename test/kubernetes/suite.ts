import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildParts, hasGo } from './build.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';

/** Long enough to build everything once, on a machine that does other things beside. */
const buildMs = 30 * 60_000;

/**
 * A suite against a real Kubernetes API, started for it. It is left out where there is no Go to build it with, and says
 * so; where `CI` is set that is a failure, so that no suite goes unnoticed.
 */
export function describeOnKubernetes(name: string, suite: (kubernetes: () => Kubernetes) => void): void {
  const way = wayOf(hasGo(), process.env.CI);
  if (way !== 'run') {
    const why = `${name} needs a Kubernetes, which is built from source: install Go (https://go.dev/doc/install).`;
    if (way === 'fail') test(name, () => expect.fail(why));
    else {
      console.warn(`Left out: ${why}`);
      describe.skip(`${name}: left out, there is no Go`, () => suite(notStarted));
    }
    return;
  }
  describe(name, () => {
    let started: Kubernetes | undefined;
    beforeAll(async () => {
      started = await startKubernetes(await buildParts((line) => console.warn(line)));
    }, buildMs);
    afterAll(() => started?.stop());
    suite(() => started ?? notStarted());
  });
}

const notStarted = (): never => {
  throw new Error('Kubernetes was not started.');
};

export const wayOf = (isGoThere: boolean, ci: string | undefined): 'run' | 'skip' | 'fail' => {
  if (isGoThere) return 'run';
  return ci === undefined || ci === '' || ci === 'false' ? 'skip' : 'fail';
};
