import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const version = '4.32.5';
const cache = fileURLToPath(new URL(`../../node_modules/.cache/millwright/schemathesis-${version}`, import.meta.url));
const run = promisify(execFile);

/** Why schemathesis (https://schemathesis.readthedocs.io) cannot run here; undefined where it can. Installs it on first use. */
export async function whyNoSchemathesis(): Promise<string | undefined> {
  if (existsSync(cache)) return undefined;
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) return 'there is no python3 with pip';
  const draft = `${cache}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const what = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--target',
      draft,
      `schemathesis==${version}`,
    ];
    await run('python3', what, { timeout: 240_000 });
    renameSync(draft, cache);
    return undefined;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    return `it cannot be installed: ${error instanceof Error ? error.message : error}`;
  }
}

/** What it found wrong; empty where that is nothing. It leaves files of its own in `cwd`. */
export async function schemathesis(options: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, PYTHONPATH: cache, PYTHONDONTWRITEBYTECODE: '1' };
  try {
    await run('python3', ['-m', 'schemathesis.cli', ...options], {
      cwd,
      env,
      maxBuffer: 64 * 1024 * 1024,
      timeout: 240_000,
    });
    return '';
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    const from = output.indexOf('= FAILURES');
    return output.slice(from > 0 ? from : -20_000) || String(error);
  }
}
