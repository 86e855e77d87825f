// Loaded before a process's own code (NODE_OPTIONS=--import): its clock is off by what a file says, from the moment the
// file says so. The file holds seconds by the command's words, as {"worker control": -3600}.
import { readFileSync, watchFile } from 'node:fs';

const file = process.env.CHAOS_CLOCK_FILE;
const command = process.argv.slice(2).join(' ');
let offMs = 0;

function read() {
  try {
    offMs = (JSON.parse(readFileSync(file, 'utf8'))[command] ?? 0) * 1000;
  } catch {
    // Half written: the next look has it whole.
  }
}

if (file !== undefined) {
  const RealDate = Date;
  const now = () => RealDate.now() + offMs;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(now());
      else super(...given);
    }
    static now = now;
  };
  read();
  watchFile(file, { interval: 100, persistent: false }, read);
}
