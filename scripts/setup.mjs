/**
 * Makes a fresh clone ready to run: installs the npm packages that package-lock.json asks for, where they are missing or
 * of another lock file. Quiet and quick when there is nothing to do; two at once in one clone do it once. Runs on Node 20.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, '.millwright', 'setup.lock');
/** Longer than an installation takes on a slow line. */
const waitMs = 15 * 60_000;

if (!isReady()) {
  await takeLock();
  try {
    if (!isReady()) install();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/**
 * npm writes what it installed when it is done, so that an installation that was cut short counts as none. Times do not
 * tell: a checkout gives package-lock.json the time of the checkout.
 */
function isReady() {
  if (!existsSync(installed)) return false;
  if (!existsSync(wanted)) return true;
  const has = packagesOf(installed);
  return Object.entries(packagesOf(wanted)).every(
    ([path, entry]) =>
      path === '' || entry.optional || entry.devOptional || entry.extraneous || has[path]?.version === entry.version,
  );
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/**
 * `npm ci` refuses a lock file that lacks a package for some other kind of machine, as one does that was written where the
 * registry had none; `npm install` takes it, and would complete it: that is not for a set-up to do.
 */
function install() {
  process.stderr.write('Installing the npm packages of this clone…\n');
  const locked = existsSync(wanted) ? readFileSync(wanted) : undefined;
  if (locked && npm('ci', 'pipe').status === 0) return;
  const { status, error } = npm('install', 2);
  if (locked) writeFileSync(wanted, locked);
  if (status === 0) return;
  process.stderr.write(`"npm install" failed in ${root}${error ? `: ${error.message}` : ''}.\n`);
  process.exitCode = 1;
}

function npm(command, output) {
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];
  return spawnSync('npm', [command, ...quiet], { cwd: root, stdio: ['ignore', output, output], maxBuffer: 2 ** 26 });
}

/** A directory, since making one succeeds once; with the pid of who made it, since that one may have been killed. */
async function takeLock() {
  mkdirSync(join(root, '.millwright'), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + waitMs;
  const owner = join(lock, 'pid');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(owner, String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(owner)) rmSync(lock, { recursive: true, force: true });
    else if (Date.now() > deadline) throw new Error(`another setup holds ${lock}; remove it if there is none`);
    else await pause(200);
  }
}

function isAbandoned(owner) {
  try {
    const pid = Number(readFileSync(owner, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    if (error.code === 'ESRCH') return true;
    // No pid yet: the owner is just about to write it, or died between the two.
    const made = statSync(lock, { throwIfNoEntry: false });
    return error.code === 'ENOENT' && made !== undefined && Date.now() - made.mtimeMs > 10_000;
  }
}
