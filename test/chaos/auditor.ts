import type { Settlement } from '../../src/domain/job.ts';
import type { Simulator } from '../harness/simulator.ts';
import type { Request } from './script.ts';
import type { Outcome, Tenant } from './tenant.ts';

/** A request, and all that was answered to it under its key, however often it was sent. */
export interface Asked {
  readonly tenant: Tenant;
  readonly request: Request;
  readonly jobIds: Set<string>;
  readonly resourceIds: Set<string>;
  /** How often it is not known whether it was done. */
  lost: number;
  /** How often it was refused. */
  refused: number;
}

type Call = Awaited<ReturnType<Simulator['calls']>>[number];

/** What an operator said to a job; `taken` where the answer was that it was done. */
export interface Decision {
  readonly jobId: string;
  readonly action: Settlement | 'cancel';
  readonly outcome: 'taken' | 'refused' | 'lost';
}

/**
 * Answers that tell that nothing was done. 202 tells that it was, 503 that nobody knows; whatever else comes is a fault
 * of the API.
 */
const refusals: Readonly<Record<Request['verb'] | 'decision', readonly number[]>> = {
  // 400: a VM that is to use what is not there.
  create: [400, 409, 429],
  delete: [404, 409, 429],
  batch: [400, 409, 429],
  update: [404, 409, 429],
  decision: [404, 409, 429],
};
/** Nobody knows whether it was done. */
export const unknown = 503;

/**
 * Keeps its own book of what was asked and answered, and compares it at the end with what there is. It trusts nothing
 * of what it looks at: its rules are its own, and what it lets pass it lets pass for a decision that it has on record.
 */
export class Auditor {
  readonly asked: Asked[] = [];
  readonly decisions: Decision[] = [];
  /** By key, how often the provider was made to make something new: what its log had before each time that it was killed. */
  readonly made = new Map<string, number>();
  readonly findings: string[] = [];
  /** What happened, for whoever reads why a seed failed. */
  readonly trace: string[] = [];
  readonly #begun = Date.now();

  note(line: string): void {
    this.trace.push(`${((Date.now() - this.#begun) / 1000).toFixed(3)} ${line}`);
  }

  find(what: string): void {
    this.note(`FOUND ${what}`);
    this.findings.push(what);
  }

  begin(tenant: Tenant, request: Request): Asked {
    const asked: Asked = { tenant, request, jobIds: new Set(), resourceIds: new Set(), lost: 0, refused: 0 };
    this.asked.push(asked);
    return asked;
  }

  answered(asked: Asked, outcome: Outcome): void {
    const { request } = asked;
    const what = `${request.method} ${request.path}${request.verb === 'delete' ? '' : ` ${request.name}`} (${request.key ?? 'no key'})`;
    if ('lost' in outcome) {
      asked.lost += 1;
      this.note(`${what}: lost, ${outcome.lost}`);
      return;
    }
    const { status, body } = outcome.answer;
    this.note(`${what}: ${status} ${status === 202 ? `job ${body.job.id} of ${body.resource?.id}` : body?.detail}`);
    if (status === 200 && request.verb === 'update') {
      asked.resourceIds.add(body.id);
      return;
    }
    if (status === 202) {
      asked.jobIds.add(body.job.id);
      asked.resourceIds.add(body.job.resource.id);
      if (asked.jobIds.size > 1 && request.key !== undefined)
        this.find(`${what} gave the jobs ${[...asked.jobIds].join(' and ')} under one key`);
      return;
    }
    if (status === unknown) {
      asked.lost += 1;
      return;
    }
    asked.refused += 1;
    if (!refusals[request.verb].includes(status)) this.find(`${what} was answered ${status}: ${body?.detail}`);
  }

  decided(jobId: string, action: Decision['action'], outcome: Outcome): void {
    if ('lost' in outcome) {
      this.decisions.push({ jobId, action, outcome: 'lost' });
      this.note(`${action} of job ${jobId}: lost, ${outcome.lost}`);
      return;
    }
    const { status, body } = outcome.answer;
    this.note(`${action} of job ${jobId}: ${status} ${body?.detail ?? body?.state}`);
    const taken = status === (action === 'cancel' ? 202 : 200);
    this.decisions.push({ jobId, action, outcome: taken ? 'taken' : status === unknown ? 'lost' : 'refused' });
    // Nobody's word but an operator's is taken for what is at the provider.
    const forOperators = status === 403 && (action === 'skip' || action === 'mark-done');
    if (!taken && status !== unknown && !forOperators && !refusals.decision.includes(status))
      this.find(`${action} of job ${jobId} was answered ${status}: ${body?.detail}`);
  }

  /** Reads the provider's log of calls, which is then to be forgotten. */
  read(calls: readonly Call[]): void {
    for (const { operation, key, status } of calls) {
      // 200: it was there already.
      if (!operation.endsWith('.create') || (status !== 201 && status !== 202)) continue;
      const times = (this.made.get(key) ?? 0) + 1;
      this.made.set(key, times);
      if (times > 1) this.find(`${operation} of ${key} made something new ${times} times`);
    }
  }

  /** Whether an operator said this to the job, so that it may have been done. */
  maybe(jobId: string, ...actions: readonly Decision['action'][]): boolean {
    return this.decisions.some((decision) => decision.jobId === jobId && actions.includes(decision.action));
  }
}
