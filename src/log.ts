import { type Logger, pino, stdSerializers } from 'pino';
import type { StartableJob } from './domain/start.ts';

export type { Logger };

/** Fields that are secret wherever they stand, so that a line that is written carelessly shows none either. */
const secretFields = ['token', 'authorization', 'password', 'secret', 'userData', 'kubeconfig', 'cookie'];
const redacted = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]);

/** JSON lines on standard output, one object a line, with the role that wrote it. */
export function createLogger(role: string, level: string, destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // What is no plain object is made one before it is redacted, which would look into getters that throw.
    serializers: { err: stdSerializers.err, error: stdSerializers.err },
    redact: { paths: redacted, censor: '[secret]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** What every line about a job says, so that one search for its id finds its whole story. */
export function jobFields({ id, type, workflowId, input }: StartableJob) {
  return {
    requestId: input.trail?.requestId,
    jobId: id,
    workflowId,
    type,
    organization: input.organization,
    project: input.project,
    ...('region' in input ? { region: input.region } : {}),
  };
}
