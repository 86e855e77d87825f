import { createHash } from 'node:crypto';
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Trail } from '../domain/trail.ts';

/**
 * Spans by OpenTelemetry's API alone: where no exporter has been started they are nothing, and cost nothing.
 *
 * ```
 * request ─▶ job ─┬▶ start workflow
 *                 └▶ step ─▶ attempt ─▶ call of the provider
 * ```
 *
 * A job and its steps outlive processes, and any worker may do a part of them. Their spans have ids that follow from the
 * job's id, so that whoever does a part knows its parent without having been told, and the span itself is written once,
 * when its end is recorded.
 */
const tracer = () => trace.getTracer('millwright');

/** W3C Trace Context, section 3.2. */
const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The context that a `traceparent` tells of; a new trace where it tells of none. */
export function contextOf(traceparent: string | undefined, spanId?: string): Context {
  const [, traceId, parentId, flags] = traceparentForm.exec(traceparent ?? '') ?? [];
  if (!traceId || !parentId || !flags) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: spanId ?? parentId, traceFlags, isRemote: true });
}

/** The span under way, as a header or a job carries it; undefined where nothing is traced. */
function traceparentNow(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (!span || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** Headers for a call that belongs to the span under way. */
export function traceHeaders(): Record<string, string> {
  const traceparent = traceparentNow();
  return traceparent === undefined ? {} : { traceparent };
}

const idFrom = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const stepIdFrom = (jobId: string, step: string): string => idFrom(`${jobId}/${step}`);

/** Inside of a job's span. */
export const jobContext = (trail: Trail | undefined, jobId: string): Context =>
  trail?.traceparent === undefined ? ROOT_CONTEXT : contextOf(trail.traceparent, idFrom(jobId));

/** Inside of the span of a job's step. */
export const stepContext = (trail: Trail | undefined, jobId: string, step: string): Context =>
  trail?.traceparent === undefined ? ROOT_CONTEXT : contextOf(trail.traceparent, stepIdFrom(jobId, step));

interface SpanOptions {
  readonly parent?: Context;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
}

/** Runs an act as a span. Of an error it tells the kind alone: a message may hold what is not to be seen. */
export function inSpan<Value>(
  name: string,
  { parent = context.active(), kind = SpanKind.INTERNAL, attributes = {} }: SpanOptions,
  act: (span: Span) => Promise<Value>,
): Promise<Value> {
  return tracer().startActiveSpan(name, { kind, attributes }, parent, async (span) => {
    try {
      return await act(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
      throw error;
    } finally {
      span.end();
    }
  });
}

let nextId: string | undefined;
/** The id that the span which is being started must have; undefined for one of chance. */
export const chosenSpanId = (): string | undefined => nextId;

interface PastSpan {
  readonly name: string;
  readonly id: string;
  readonly parent: Context;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly failed: boolean;
  readonly attributes: Attributes;
}

function write({ name, id, parent, startedAt, endedAt, failed, attributes }: PastSpan): void {
  if (parent === ROOT_CONTEXT) return;
  nextId = id;
  const span = tracer().startSpan(name, { startTime: startedAt, attributes }, parent);
  nextId = undefined;
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endedAt);
}

/** Writes the span of a job that has ended, below that of its batch's job or else of the request. */
export function writeJobSpan(
  jobId: string,
  trail: Trail | undefined,
  parentJobId: string | null,
  span: Omit<PastSpan, 'id' | 'parent'>,
): void {
  const parent = parentJobId === null ? contextOf(trail?.traceparent) : jobContext(trail, parentJobId);
  write({ ...span, id: idFrom(jobId), parent });
}

/** Writes the span of a step that has come to its end, or of its undoing. */
export function writeStepSpan(
  jobId: string,
  trail: Trail | undefined,
  step: string,
  undone: boolean,
  span: Omit<PastSpan, 'id' | 'parent'>,
): void {
  write({ ...span, id: stepIdFrom(jobId, undone ? `${step}/undo` : step), parent: jobContext(trail, jobId) });
}
