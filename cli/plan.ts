import type { BatchInput } from './batch-input.ts';
import { Exit } from './errors.ts';
import { doesNothing, planText, takesAway } from './plan-text.ts';
import type { Session } from './session.ts';

/** Shows what applying a file would do; ends with 2 where that is anything. */
export async function showPlan(session: Session, input: BatchInput, all: boolean): Promise<void> {
  const plan = await session.client.planBatch(input);
  await session.show(plan, () => planText(plan, { all, paint: session.paint }));
  if (!doesNothing(plan)) throw new Exit(2);
}

/**
 * Where somebody sits at the terminal: shows the plan, asks before anything is deleted or replaced, and gives the hash
 * of what was shown, to be held to it. Undefined where nobody does. Fails where the answer is not yes.
 */
export async function agreedHash(session: Session, input: BatchInput): Promise<string | undefined> {
  const { ask } = session.context.io;
  if (!ask) return undefined;
  const plan = await session.client.planBatch(input);
  if (doesNothing(plan)) return plan.hash;
  session.talk(planText(plan, { all: false, paint: session.paint }));
  if (!takesAway(plan)) return plan.hash;
  const answer = await ask('Things that are there will be deleted or replaced. Go on? Only "yes" does: ');
  if (answer.trim() === 'yes') return plan.hash;
  session.talk('Nothing was done.');
  throw new Exit(1);
}
