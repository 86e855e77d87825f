import type { Config } from '../config/index.ts';
import type { Patience } from './client.ts';

/** Somebody waits for the API's answer. */
export const apiPatience = (config: Config): Patience => ({
  lockMs: config.MILLWRIGHT_API_LOCK_TIMEOUT_MS,
  statementMs: config.MILLWRIGHT_API_STATEMENT_TIMEOUT_MS,
  idleTransactionMs: config.MILLWRIGHT_IDLE_TRANSACTION_TIMEOUT_MS,
});

/** What a worker gives up it has to begin again. */
export const workerPatience = (config: Config): Patience => ({
  lockMs: config.MILLWRIGHT_WORKER_LOCK_TIMEOUT_MS,
  statementMs: config.MILLWRIGHT_WORKER_STATEMENT_TIMEOUT_MS,
  idleTransactionMs: config.MILLWRIGHT_IDLE_TRANSACTION_TIMEOUT_MS,
});
