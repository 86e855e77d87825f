import { dirname, join } from 'node:path';
import type { Config } from '../src/config/index.ts';
import { type Fault, MillwrightError } from '../src/errors.ts';
import type { Paint } from './output.ts';
import { oneLine } from './text.ts';

/** Ends the command with this code; what there is to say has been said. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

interface ProblemOptions {
  readonly title: string;
  readonly requestId: string;
  readonly faults: readonly Fault[];
  readonly jobId: string | undefined;
  /** The file that was sent, as the user named it: faults with a line are shown as places in it. */
  readonly file: string | undefined;
  /** How to look at the job in the way. */
  readonly next: string | undefined;
}

/** What the API refused, or could not do, in its own words (RFC 9457). */
export class ApiProblem extends MillwrightError {
  readonly title: string;
  readonly requestId: string;
  readonly file: string | undefined;
  readonly next: string | undefined;

  constructor(code: MillwrightError['code'], detail: string, options: ProblemOptions) {
    super(code, detail, { faults: options.faults, ...(options.jobId ? { jobId: options.jobId } : {}) });
    this.name = 'ApiProblem';
    this.title = options.title;
    this.requestId = options.requestId;
    this.file = options.file;
    this.next = options.next;
  }
}

/**
 * The API could not be asked. `refused`: nothing was sent, so that it may be asked again whatever it was; `lost`: it may
 * have been heard; `hopeless`: asking again is of no use.
 */
export class ConnectionError extends MillwrightError {
  readonly kind: 'refused' | 'lost' | 'hopeless';

  constructor(message: string, kind: ConnectionError['kind'], cause: unknown) {
    super('unavailable', message, { cause });
    this.name = 'ConnectionError';
    this.kind = kind;
  }
}

/** Stacks are for those who ask for them. */
export const tellsStack = ({ MILLWRIGHT_LOG_LEVEL: level }: Config): boolean => level === 'debug' || level === 'trace';

/** An error as people read it: what is wrong first, then every fault of their input, then what to do next. */
export function describeError(error: unknown, paint: Paint, debug: boolean): string {
  const said = error instanceof Error ? error.message : String(error);
  const lines =
    error instanceof ApiProblem
      ? [
          headline(error),
          ...error.faults.map((fault) => oneLine(describeFault(fault, error.file))),
          ...(error.next ? [error.next] : []),
          paint('dim', `request ${oneLine(error.requestId)}`),
        ]
      : [said];
  if (debug && error instanceof Error && error.stack) lines.push(error.stack, ...causes(error));
  else if (!(error instanceof MillwrightError))
    lines.push('This is a fault of the command line: MILLWRIGHT_LOG_LEVEL=debug shows where.');
  return `${paint('red', 'millwright: error:')} ${lines.join('\n')}\n`;
}

/** A detail that only says over what the faults below it say is left out. */
function headline({ title, message, faults }: ApiProblem): string {
  return faults.some(({ detail }) => message.includes(detail)) ? `${title}:` : oneLine(`${title}. ${message}`);
}

/** `file:line:column: detail`, as compilers say it, so that editors find the place. */
function describeFault({ pointer, detail, line, column, file: within }: Fault, sent: string | undefined): string {
  const file = within === undefined || sent === undefined ? sent : beside(sent, within);
  if (file === undefined) return pointer === '' ? detail : `${pointer}: ${detail}`;
  if (line === undefined) return `${file}: ${pointer}: ${detail}`;
  return `${file}:${line}:${column ?? 1}: ${detail}`;
}

/** A file that went with the one that was sent, by its path from where the user is. */
const beside = (sent: string, file: string): string => (file === sent ? sent : join(dirname(sent), file));

function causes(error: Error): string[] {
  return error.cause instanceof Error ? [`caused by ${error.cause.stack}`, ...causes(error.cause)] : [];
}
