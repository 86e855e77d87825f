import { expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';

function written(level: string, write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger('test', level, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

test('a secret is not written, wherever in a line it stands', () => {
  const secret = 'hunter2-hunter2';
  const text = written('info', (log) => {
    log.info({ token: secret, headers: { authorization: secret, cookie: secret } }, 'one');
    log.info({ job: { input: { spec: { userData: secret } } }, request: { body: { password: secret } } }, 'two');
    log.child({ secret }).info({ kubeconfig: secret }, 'three');
  });
  expect(text.split('\n').filter(Boolean)).toHaveLength(3);
  expect(text).not.toContain(secret);
  expect(text).toContain('[secret]');
});

test('a line is one JSON object with its time, level and role; a lower level than configured is left out', () => {
  const text = written('warn', (log) => {
    log.info('unsaid');
    log.warn({ jobId: 'j' }, 'said');
  });
  expect(JSON.parse(text)).toMatchObject({ level: 40, role: 'test', jobId: 'j', msg: 'said' });
  expect(Date.parse(JSON.parse(text).time)).not.toBeNaN();
});

test('an error is told whatever its cause, and under either name', async () => {
  const timeout = AbortSignal.timeout(0);
  await new Promise((resolve) => timeout.addEventListener('abort', resolve));
  const text = written('info', (log) => {
    log.warn({ error: timeout.reason }, 'one');
    log.warn({ error: Object.assign(new Error('outer'), { cause: timeout.reason }) }, 'two');
    log.warn({ err: new Error('other', { cause: timeout.reason }) }, 'three');
  });
  expect(text.split('\n').filter(Boolean)).toHaveLength(3);
  expect(text).toContain('outer');
});
