import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard output, one object a line, with the role that wrote it. */
export function createLogger(role: string, level: string): Logger {
  return pino({
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['token', 'authorization', '*.token', '*.authorization', '*.userData'], censor: '[secret]' },
  });
}
