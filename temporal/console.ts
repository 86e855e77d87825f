import type { Client } from '@temporalio/client';
import { MillwrightError } from '../src/errors.ts';
import { isTemporalAway } from './away.ts';
import { type ConsoleRead, type ConsoleText, consoleWorkflow, controlQueue } from './names.ts';

/** What the workflow itself takes at most, beside the 10 s that its region has. */
const longestMs = 15_000;

/** The last lines of a VM's console. The same request asked again is answered by the same workflow. Throws `unavailable`. */
export async function readConsole(client: Client, workflowId: string, read: ConsoleRead): Promise<readonly string[]> {
  const options = {
    workflowId,
    taskQueue: controlQueue,
    workflowExecutionTimeout: longestMs,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [read],
    staticSummary: `Console of a VM in ${read.call.region}`,
  } as const;
  const text = await client
    .withDeadline(Date.now() + longestMs, () =>
      client.workflow.execute<(read: ConsoleRead) => Promise<ConsoleText>>(consoleWorkflow, options),
    )
    .catch((cause: unknown) => {
      const why = isTemporalAway(cause) ? 'Temporal does not answer' : 'it was not read in time';
      throw new MillwrightError('unavailable', `The console cannot be read: ${why}. Ask again.`, { cause });
    });
  if ('lines' in text) return text.lines;
  const { code, message } = text.refused;
  if (code !== 'not_found') throw new MillwrightError(code, message);
  throw new MillwrightError(
    'conflict',
    'There is no console: its provider has not made this VM yet, or has it no more.',
  );
}
