import type { JobView, Settlement } from '../../src/domain/job.ts';
import { hasEnded } from '../../src/domain/job.ts';
import { until } from './until.ts';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into answers as a user does, without a schema between.
type Json = any;

/** The API as a user of HTTP sees it. */
export class Api {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Json>> {
    const isForm = body instanceof FormData;
    const isText = typeof body === 'string';
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined || isForm ? {} : { 'content-type': isText ? 'application/yaml' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isForm || isText ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
    };
  }

  get = (path: string) => this.request('GET', path);
  tenant = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    this.request(method, `/api/tenant/v1${path}`, body, headers);

  async job(id: string): Promise<JobView> {
    return (await this.get(`/api/tenant/v1/jobs/${id}`)).body;
  }

  /** The job when it is as wanted; by default, when it has ended. */
  jobWhen(
    id: string,
    wanted: (job: JobView) => boolean = ({ state }) => hasEnded(state),
    deadlineMs?: number,
  ): Promise<JobView> {
    let last: JobView | undefined;
    return until(
      () => `job ${id}, which is ${JSON.stringify(last)}`,
      async () => {
        const job = await this.job(id);
        last = job;
        return wanted(job) && job;
      },
      deadlineMs,
    );
  }

  /** Settles a held job, and gives it when it has ended. */
  async settled(id: string, action: Settlement): Promise<JobView> {
    const answer = await this.tenant('POST', `/jobs/${id}/settle`, { action, reason: 'the test wants it so' });
    if (answer.status !== 200) throw new Error(`settle ${action}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return this.jobWhen(id);
  }

  /** Cancels a job, and gives it when it has ended. */
  async canceled(id: string): Promise<JobView> {
    const answer = await this.tenant('POST', `/jobs/${id}/cancel`, { reason: 'the test wants it so' });
    if (answer.status !== 202) throw new Error(`cancel: ${answer.status} ${JSON.stringify(answer.body)}`);
    return this.jobWhen(id);
  }

  /** Asks, expects 202, and gives the job when it has ended. */
  async done(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<JobView> {
    const answer = await this.tenant(method, path, body, headers);
    if (answer.status !== 202) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return this.jobWhen(answer.body.job.id);
  }
}
