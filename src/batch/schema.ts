import { z } from 'zod';
import { bodies } from './bodies.ts';
import { fileOperationTypes, fileSchema, needsRegion, operationSchema, variableSchema } from './file.ts';

type Json = Record<string, unknown>;

/** What may stand in the place of something else: a variable, `each`, or an operation's output. */
const reference = { type: 'string', pattern: '\\$\\{' };

/** A part of the schema as JSON Schema has it, without what says nothing to an editor. */
function part(schema: z.ZodType): Json {
  const {
    $schema: _,
    $ref,
    definitions,
    ...json
  }: Json = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      delete jsonSchema.id;
      delete jsonSchema.writeOnly;
    },
  });
  // A schema that has an id of its own is given by it.
  return typeof $ref === 'string' ? Object(Object(definitions)[$ref.split('/').at(-1) ?? '']) : json;
}

/** Keys whose value is one schema, many in a list, or many by name. */
const single = ['items', 'additionalProperties', 'propertyNames', 'not'];
const many = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];

/** A schema in which a reference may stand for whatever is no text, and for a text of a certain form. */
function referable(schema: unknown, isTop = true): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  const json: Json = { ...schema };
  for (const key of single) if (key in json && key !== 'propertyNames') json[key] = referable(json[key], false);
  for (const key of many) {
    const list = json[key];
    if (Array.isArray(list)) json[key] = list.map((entry) => referable(entry, true));
  }
  if (typeof json.properties === 'object' && json.properties !== null) json.properties = mapped(json.properties);
  const isPlain = Object.keys(json).every((key) => key === 'description' || key === 'default');
  const isFreeText = json.type === 'string' && !('pattern' in json) && !('format' in json) && !('enum' in json);
  if (isTop || isPlain || isFreeText) return json;
  const { description, default: preset, examples, ...rest } = json;
  return {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples !== undefined && { examples }),
    anyOf: [rest, reference],
  };
}

const mapped = (properties: object): Json =>
  Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, referable(value, false)]));

/** Fields in which nothing but what is written may stand. */
const literal = new Set(['id', 'type', 'dependsOn', 'when', 'forEach', 'with', 'variables', 'operations']);

function fieldsOf(schema: z.ZodObject): { readonly properties: Json; readonly required: unknown } {
  const { properties, required } = part(schema);
  const fields = Object.entries(Object(properties)).map(([key, value]) => [
    key,
    literal.has(key) ? value : referable(value, false),
  ]);
  return { properties: Object.fromEntries(fields), required };
}

/** What stands beside `with` in a batch, for a body that has it too. */
const beside = ['region', 'provider', 'onFailure', 'timeoutSeconds'];

function withOf(type: keyof typeof bodies): Json {
  const json = part(bodies[type]);
  const entries = Object.entries(Object(json.properties)).filter(([key]) => !beside.includes(key));
  const properties = mapped(Object.fromEntries(entries));
  if (type === 'batch.apply') Object.assign(properties, { batch: { $ref: '#/$defs/batch' } });
  const required = Array.isArray(json.required) ? json.required.filter((key) => !beside.includes(key)) : [];
  return { ...json, properties, ...(required.length > 0 ? { required } : {}) };
}

/** The JSON Schema of a batch file, for editors: generated from what the parser itself checks by. */
export function batchSchema(): Json {
  const file = fieldsOf(fileSchema);
  const operation = fieldsOf(operationSchema);
  const properties = {
    ...file.properties,
    variables: { ...Object(file.properties.variables), additionalProperties: { $ref: '#/$defs/variable' } },
    operations: { ...Object(file.properties.operations), items: { $ref: '#/$defs/operation' } },
  };
  const batch = { type: 'object', properties, additionalProperties: false };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A Millwright batch file',
    ...batch,
    required: ['name', 'operations'],
    $defs: {
      batch: { ...batch, required: ['operations'] },
      variable: part(variableSchema),
      operation: {
        type: 'object',
        properties: operation.properties,
        required: operation.required,
        additionalProperties: false,
        allOf: fileOperationTypes.map((type) => ({
          if: { properties: { type: { const: type } }, required: ['type'] },
          // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword.
          then: {
            properties: { with: { $ref: `#/$defs/with.${type}` } },
            ...(needsRegion(type) && { required: ['region'] }),
          },
        })),
      },
      ...Object.fromEntries(fileOperationTypes.map((type) => [`with.${type}`, withOf(type)])),
    },
  };
}
