import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A machine that cannot reach the vendor's site must not wait long for that; one that can needs longer for the file. */
const firstByteMs = 5000;
const wholeMs = 180_000;

/**
 * Has the SDK download the Temporal CLI of this version (`v1.9.1`). In a process of its own, since a download cannot be
 * called off and its progress would be written to our output.
 */
export async function downloadWithSdk(version: string, into: string): Promise<string> {
  const downloaded = () => readdirSync(into).find((name) => name.startsWith('temporal'));
  const giveUp = new AbortController();
  const stalled = setTimeout(() => downloaded() ?? giveUp.abort(), firstByteMs);
  try {
    await promisify(execFile)(process.execPath, ['--eval', program, version, into], {
      cwd: import.meta.dirname,
      timeout: wholeMs,
      signal: giveUp.signal,
    });
  } catch (cause) {
    throw new Error(reason(cause), { cause });
  } finally {
    clearTimeout(stalled);
  }
  const file = downloaded();
  if (!file) throw new Error('it left no program');
  return join(into, file);
}

/** Starting a server is the one way to the SDK's download; it is torn down at once. */
const program = `
const { TestWorkflowEnvironment } = require('@temporalio/testing');
const [version, downloadDir] = process.argv.slice(1);
TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', version, downloadDir } } })
  .then((environment) => environment.teardown())
  .catch((error) => { process.stderr.write(error.message); process.exit(1); });
`;

function reason(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return `no answer within ${firstByteMs / 1000} s`;
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split(': ').at(-1) : undefined;
  return said || (error instanceof Error ? error.message : String(error));
}
