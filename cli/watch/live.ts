import type { BatchBasic } from '../../src/domain/batch.ts';
import type { JobEvent, JobView } from '../../src/domain/job.ts';
import type { Terminal } from '../output.ts';
import type { Session } from '../session.ts';
import { batchFrame } from './batch-frame.ts';
import type { Display } from './display.ts';
import { eventLine } from './event-line.ts';
import { frame } from './frame.ts';
import { createProgress, track } from './progress.ts';

const redrawMs = 100;
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
const upLines = (count: number): string => (count === 0 ? '' : `\u001b[${count}A\r`);

const colours: readonly (readonly [RegExp, 'red' | 'green' | 'yellow'])[] = [
  [/\b(FAILED|HELD|CANCELED|ROLLBACK_FAILED|UNDO_FAILED)\b/, 'red'],
  [/\b(RETRYING|ROLLING_BACK|UNDOING)\b/, 'yellow'],
  [/\bSUCCEEDED\b/, 'green'],
];

/** Redraws the progress in place until it is closed. Failures of operations stay above it, for the record. */
export function openLive(
  { context, paint }: Session,
  terminal: Terminal,
  jobs: readonly JobView[],
  first: BatchBasic | undefined,
): Display {
  const { io } = context;
  const progress = createProgress(jobs);
  let batch = first;
  let drawn: readonly string[] = [];

  function coloured(line: string): string {
    for (const [state, colour] of colours) {
      if (state.test(line)) return line.replace(state, (word) => paint(colour, word));
    }
    return line;
  }

  /** One write for a whole frame, each line clearing what is left of the one before it, so that nothing flickers. */
  function draw(above = ''): void {
    const lines = batch ? batchFrame(batch, Date.now(), terminal) : frame(progress, Date.now(), terminal);
    if (above === '' && lines.length === drawn.length && lines.every((line, at) => line === drawn[at])) return;
    const text = lines.map((line) => `${coloured(line)}${clearLine}\n`).join('');
    io.err(`${upLines(drawn.length)}${above}${text}${clearBelow}`);
    drawn = lines;
  }

  const say = (line: string): void => draw(`${line}${clearLine}\n`);

  function event(event: JobEvent): void {
    track(progress, event);
    const failed = event.state === 'FAILED' || event.state === 'CANCELED' || event.state === 'HELD';
    if (failed && !progress.jobIds.has(event.jobId)) say(coloured(eventLine(event)));
  }

  terminal.hideCursor();
  draw();
  const timer = setInterval(draw, redrawMs, '');
  return {
    event,
    batch: (now) => {
      batch = now;
    },
    say,
    close() {
      clearInterval(timer);
      draw();
      terminal.showCursor();
    },
  };
}
