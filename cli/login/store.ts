import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MillwrightError } from '../../src/errors.ts';

const savedLoginSchema = z.object({
  /** Of the API that it is for. */
  url: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  accessToken: z.string(),
  /** Null: when the access token has ended, one has to log in again. */
  refreshToken: z.string().nullable(),
  expiresAt: z.string().nullable(),
});
export type SavedLogin = z.infer<typeof savedLoginSchema>;

/** The login of this user to one API: a file that nobody else can read, and is replaced as a whole. */
export class LoginStore {
  readonly #folder: string;
  readonly #name: string;
  readonly url: string;

  constructor(userFolder: string, url: URL) {
    this.#folder = join(userFolder, 'logins');
    this.url = url.href;
    this.#name = createHash('sha256').update(url.href).digest('hex').slice(0, 24);
  }

  get file(): string {
    return join(this.#folder, `${this.#name}.json`);
  }

  /** Locked while the tokens in the file are exchanged for others. */
  get lock(): string {
    return join(this.#folder, `${this.#name}.lock`);
  }

  /** Undefined where there is none that could be read, for whoever wants it gone. */
  readable(): SavedLogin | undefined {
    if (!existsSync(this.file)) return undefined;
    const saved = savedLoginSchema.safeParse(parse(readFileSync(this.file, 'utf8')));
    return saved.success && saved.data.url === this.url ? saved.data : undefined;
  }

  read(): SavedLogin | undefined {
    const login = this.readable();
    if (login || !existsSync(this.file)) return login;
    // What is wrong with it is not said: an excerpt could hold a token.
    throw new MillwrightError(
      'invalid',
      `The login in ${this.file} cannot be read. Run "millwright login", which replaces it.`,
    );
  }

  write(login: Omit<SavedLogin, 'url'>): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const draft = `${this.file}.${randomUUID()}`;
    try {
      writeFileSync(draft, `${JSON.stringify({ url: this.url, ...login })}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(draft, this.file);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
