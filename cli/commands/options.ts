import { readFileSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { failurePolicies } from '../../src/domain/job-states.ts';
import { wholeNumber } from './common.ts';

/** An option of `create`, and the field of the request's body that it fills. What it may hold is the API's to say. */
export interface CreateOption<Field extends string = string> {
  readonly field: Field;
  readonly option: Option;
}

type Define = <Field extends string>(field: Field, flags: string, description: string) => CreateOption<Field>;

const define =
  (prepare: (option: Option) => Option): Define =>
  (field, flags, description) => ({ field, option: prepare(new Option(flags, description)) });

export const text = define((option) => option);
/** Takes no value. */
export const toggle = define((option) => option);
export const mandatoryText = define((option) => option.makeOptionMandatory());
export const count = define((option) => option.argParser(wholeNumber));
/** Not below 0, where none is meant as well. */
export const countFromNone = define((option) => option.argParser((value) => (value === '0' ? 0 : wholeNumber(value))));
export const decimal = define((option) => option.argParser(readDecimal));
export const mandatoryCount = define((option) => option.argParser(wholeNumber).makeOptionMandatory());
/** Given any number of times. */
export const list = define((option) => option.argParser((value, before: readonly string[] = []) => [...before, value]));
export const labels = define((option) => option.argParser(addLabel));
export const sshKeys = define((option) => option.argParser(addSshKeys));
export const fileText = define((option) => option.argParser(readText));

/** JSON, as the API takes it. */
export const jsonValue = define((option) => option.argParser(readJson));

/** What the job does when a step has failed for good. */
export const onFailureOption = (): Option =>
  new Option('--on-failure <policy>', 'undo it, hold it for a decision, or keep it as it is').choices(failurePolicies);

/** The fields that the options given fill. */
export function bodyOf(command: Command, options: readonly CreateOption[]): Record<string, unknown> {
  return Object.fromEntries(
    options.flatMap(({ field, option }) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

function addLabel(value: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, label] = /^([^=]+)=(.*)$/s.exec(value) ?? [];
  if (key === undefined || label === undefined) throw new InvalidArgumentError('It must have the form key=value.');
  return { ...before, [key]: label };
}

/** OpenSSH public keys: one as it is, or every one of a file like `id_ed25519.pub` or `authorized_keys`. */
function addSshKeys(value: string, before: readonly string[] = []): string[] {
  if (/^(ssh-|ecdsa-|sk-)\S+ /.test(value)) return [...before, value];
  const content = readText(value);
  if (content.includes('PRIVATE KEY'))
    throw new InvalidArgumentError('It is a private key; give its public half (.pub).');
  const lines = content.split(/\r?\n/).map((line) => line.trim());
  return [...before, ...lines.filter((line) => line !== '' && !line.startsWith('#'))];
}

function readDecimal(value: string): number {
  const number = Number(value);
  if (Number.isFinite(number) && value.trim() !== '') return number;
  throw new InvalidArgumentError('It must be a number, like 1.5.');
}

function readJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new InvalidArgumentError('It is not JSON.');
  }
}

function readText(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new InvalidArgumentError('There is no such file.');
  if (found.isDirectory()) throw new InvalidArgumentError('It is a directory.');
  return readFileSync(file, 'utf8');
}
