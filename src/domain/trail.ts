/** Where a job comes from, stored with it, so that logs and traces lead from the request to every call that it caused. */
export interface Trail {
  readonly requestId: string;
  /** W3C Trace Context, where the request is traced. */
  readonly traceparent?: string;
}
