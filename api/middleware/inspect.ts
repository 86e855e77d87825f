import { type RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { quoted, Spelling } from '../../src/batch/near.ts';
import { type Fault, MillwrightError } from '../../src/errors.ts';
import { faultsOf, pointerOf } from '../../src/faults.ts';
import { assertMediaType, malformed, mediaTypeOf } from '../body.ts';
import type { ApiEnv } from '../env.ts';

/** A client has one place for all that it asks; where a route looks at none, these change nothing. */
const everywhere = ['project', 'organization'];

type Asked = Readonly<Record<string, readonly string[]>>;

/**
 * Refuses what a route's contract does not know: a parameter that is misspelt, or given twice where one is meant, and a
 * body of another media type. Whatever is refused as invalid, here or by the contract's schemas, is refused with every fault
 * of the request at once.
 */
export function inspect(request: RouteConfig['request']) {
  const shape = shapeOf(request?.query);
  const taken = Object.keys(request?.body?.content ?? {});
  return createMiddleware<ApiEnv>(async (context, next) => {
    const asked: Asked = context.req.queries();
    const own = [...unknownIn(asked, shape), ...repeatedIn(asked, shape)];
    const everyFault = async (): Promise<Fault[]> => [...own, ...(await schemaFaults(context, request, own))];
    context.set('everyFault', everyFault);
    if (own.length > 0) throw invalid(await everyFault());
    if (taken.length > 0) assertMediaType(context, taken);
    await next();
  });
}

export function invalid(faults: readonly Fault[]): MillwrightError {
  const places = faults.map(({ pointer, detail }) => `${pointer || 'the body'}: ${detail}`).join(' ');
  return new MillwrightError('invalid', places, { faults });
}

type Content = NonNullable<NonNullable<RouteConfig['request']>['body']>['content'];
type Shape = z.ZodObject['shape'];

function shapeOf(query: unknown): Shape {
  if (query === undefined) return {};
  if (query instanceof z.ZodObject) return query.shape;
  throw new Error('the query of a contract is a plain z.object, so that its names are known');
}

function unknownIn(asked: Asked, shape: Shape): Fault[] {
  const known = Object.keys(shape);
  const spelling = new Spelling();
  return Object.keys(asked)
    .filter((name) => !known.includes(name) && !everywhere.includes(name))
    .map((name) => ({ pointer: pointerOf([name]), detail: spelling.unknown('parameter', name, known) }));
}

function repeatedIn(asked: Asked, shape: Shape): Fault[] {
  return Object.entries(asked)
    .filter(([name, values]) => values.length > 1 && (Object.hasOwn(shape, name) || everywhere.includes(name)))
    .filter(([name]) => !takesSeveral(shape[name]))
    .map(([name, values]) => ({
      pointer: pointerOf([name]),
      detail: `${quoted(name)} is given ${values.length} times; it may be given once.`,
    }));
}

/** Whether a schema is of a list, as a parameter that may be given again has it. */
function takesSeveral(schema: z.core.$ZodType | undefined): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return takesSeveral(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.some(takesSeveral);
  // What is prepared for its schema is of that; what is transformed was of the one before.
  if (schema instanceof z.ZodPipe) return takesSeveral(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  return schema instanceof z.ZodArray;
}

/** What the contract's schemas find wrong with a request, but for parameters of which that has been said. */
async function schemaFaults(
  { req }: Context<ApiEnv>,
  request: RouteConfig['request'],
  said: readonly Fault[],
): Promise<Fault[]> {
  const query = Object.fromEntries(
    Object.entries(req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
  const inQuery = faultsIn(request?.query, query).filter(
    (fault) => !said.some(({ pointer }) => pointer === fault.pointer),
  );
  return [
    ...inQuery,
    ...faultsIn(request?.params, req.param()),
    ...faultsIn(request?.headers, req.header()),
    ...(await bodyFaults(req, request?.body?.content)),
  ];
}

async function bodyFaults(req: Context<ApiEnv>['req'], content: Content | undefined): Promise<Fault[]> {
  const json = content?.['application/json'];
  const schema = json && 'schema' in json ? json.schema : undefined;
  if (!(schema instanceof z.ZodType) || mediaTypeOf(req.header('content-type')) !== 'application/json') return [];
  const text = await req.text();
  const fault = malformed(text);
  return fault ? [fault] : faultsIn(schema, JSON.parse(text));
}

function faultsIn(schema: unknown, value: unknown): Fault[] {
  if (!(schema instanceof z.ZodType)) return [];
  const { error } = schema.safeParse(value);
  return error ? faultsOf(error) : [];
}
