import type { BatchFile, Catalog } from '../src/batch/file.ts';
import { parseBatch } from '../src/batch/parse.ts';
import { type Format, formatOf } from '../src/batch/source.ts';
import { MillwrightError, refusedFor } from '../src/errors.ts';
import { mediaTypeOf } from './body.ts';

const text = { type: 'string' as const };

/** What the body of a request that brings a batch file may be. */
export const batchBody = {
  required: true,
  content: {
    'application/yaml': { schema: text },
    'application/toml': { schema: text },
    'application/json': { schema: { type: 'object' as const } },
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        required: ['file'],
        properties: {
          file: { ...text, description: 'The batch file. Its format is its media type’s, or else its name’s.' },
          variables: { ...text, description: 'A JSON object: values for the variables that the file declares.' },
          include: {
            type: 'array' as const,
            items: text,
            description:
              'Files that `batch.apply` names; the file name of each is its path from where the batch file lies.',
          },
        },
      },
    },
  },
};

/** Reads the batch that a request brings. Throws `invalid` with every fault of every file. */
export async function readBatchRequest(request: Request, catalog: Catalog): Promise<BatchFile> {
  const type = mediaTypeOf(request.headers.get('content-type'));
  if (type !== 'multipart/form-data') return parseBatch(await request.text(), catalog, { format: formatsByType[type] });
  const form = await request.formData().catch((cause: unknown) => {
    throw new MillwrightError('invalid', 'The body is no multipart/form-data that can be read.', { cause });
  });
  const { file, variables, include } = await partsOf(form);
  const several = include.length > 0;
  return parseBatch(file.text, catalog, {
    format: file.format,
    ...(several && { name: file.name }),
    variables,
    files: new Map(include.map(({ name, text }) => [name, text])),
  });
}

const formatsByType: Readonly<Record<string, Format>> = {
  'application/yaml': 'yaml',
  'application/json': 'json',
  'application/toml': 'toml',
};

interface Part {
  readonly name: string;
  readonly text: string;
  readonly format: Format;
}

async function partsOf(form: FormData): Promise<{ file: Part; variables: Record<string, unknown>; include: Part[] }> {
  const faults = [...new Set(form.keys())]
    .filter((name) => !['file', 'variables', 'include'].includes(name))
    .map((name) => ({
      pointer: `/${name}`,
      detail: `There is no part "${name}". There are: file, variables, include.`,
    }));
  const [file, ...others] = await Promise.all(form.getAll('file').map(partOf));
  if (!file || others.length > 0)
    faults.push({ pointer: '/file', detail: 'Expected one part "file": the batch file.' });
  const include = await Promise.all(form.getAll('include').map(partOf));
  if (include.some(({ name }) => name === '')) {
    faults.push({
      pointer: '/include',
      detail: 'Expected a file name: the path by which the batch file names this one.',
    });
  }
  const given = form.get('variables');
  const variables = given === null ? {} : objectOf(typeof given === 'string' ? given : await given.text());
  if (!variables) faults.push({ pointer: '/variables', detail: 'Expected a JSON object: a value for each variable.' });
  if (faults.length > 0 || !file || !variables) throw refusedFor('invalid', faults);
  return { file: file.name === '' ? { ...file, name: 'batch' } : file, variables, include };
}

async function partOf(part: File | string): Promise<Part> {
  if (typeof part === 'string') return { name: '', text: part, format: 'yaml' };
  return {
    name: part.name,
    text: await part.text(),
    format: formatsByType[mediaTypeOf(part.type)] ?? formatOf(part.name),
  };
}

function objectOf(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
