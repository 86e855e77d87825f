import { MillwrightError } from '../src/errors.ts';
import { ApiProblem } from './errors.ts';
import type { Platform } from './platform.ts';

/** Where an answer that is not a success came from, and what it was about. */
interface Source {
  readonly platform: Platform;
  readonly file: string | undefined;
  readonly command: (words: string) => string;
}

/** The error that an answer stands for. The contract is loaded only now: most commands never meet a problem. */
export async function toProblem(
  status: number,
  text: string,
  { platform, file, command }: Source,
): Promise<MillwrightError> {
  const { problemSchema } = await import('../api/problem.ts');
  const parsed = problemSchema.safeParse(parse(text));
  if (!parsed.success) {
    const message = `What answers at ${platform.url.origin} is not Millwright's API, or a proxy before it (status ${status}).`;
    return new MillwrightError(status >= 500 ? 'unavailable' : 'internal', `${message} ${platform.remedy}`);
  }
  const { code, title, detail, requestId, jobId, errors = [] } = parsed.data;
  const faults = errors.map(({ pointer, detail, line, column, file: within }) => ({
    pointer,
    detail,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(within === undefined ? {} : { file: within }),
  }));
  const next =
    jobId &&
    `In the way: job ${jobId}. See "${command(`job get ${jobId}`)}"; wait for it with "${command(`job watch ${jobId}`)}".`;
  return new ApiProblem(code, detail, { title, requestId, faults, jobId, file, next });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
