import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** Linux counts in hundredths of a second for whoever asks, whatever the kernel itself does. */
const ticksPerSecond = 100;

/** Seconds of a core that a process has used so far; 0 for one that is gone. */
export function cpuSeconds(pid: number): number {
  const stat = `/proc/${pid}/stat`;
  if (existsSync(stat)) {
    // Behind the name, which may hold anything, the 12th and 13th field are the ticks in user and kernel mode.
    const fields = readFileSync(stat, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }
  try {
    return secondsOf(execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' }).trim());
  } catch {
    return 0;
  }
}

/** `[[days-]hours:]minutes:seconds`, as `ps` has it; macOS gives hundredths. */
function secondsOf(time: string): number {
  const [rest = '', days = '0'] = time.split('-').reverse();
  return rest.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
}

export interface ProcessNow {
  readonly pid: number;
  readonly parent: number;
  readonly residentMib: number;
}

/** Every process of this machine. */
export async function processesNow(): Promise<ProcessNow[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, kib] = line.trim().split(/\s+/).map(Number);
    return pid === undefined || parent === undefined || kib === undefined
      ? []
      : [{ pid, parent, residentMib: kib / 1024 }];
  });
}
