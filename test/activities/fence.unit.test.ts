import { beforeEach, expect, test, vi } from 'vitest';
import { type AskStanding, AttemptCanceled, AttemptGone, createFence } from '../../activities/region/fence.ts';
import { heartbeatTimeoutMs } from '../../temporal/names.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));

type Info = Parameters<AskStanding>[0];
const infoOf = (attempt: number, scheduledMs = Date.now()): Info =>
  ({ attempt, currentAttemptScheduledTimestampMs: scheduledMs }) as Info;

function fenceOf(info: Info, ask: AskStanding = async () => 'wanted') {
  const asked = vi.fn(ask);
  return { pass: createFence(info, asked), asked };
}

test('a first attempt that began just now asks nothing', async () => {
  const { pass, asked } = fenceOf(infoOf(1));
  await pass();
  expect(asked).not.toHaveBeenCalled();
});

test('one that has gone on for half of its heartbeat timeout asks, and then not until as long after', async () => {
  const { pass, asked } = fenceOf(infoOf(1));
  vi.advanceTimersByTime(heartbeatTimeoutMs / 2);
  await pass();
  await pass();
  expect(asked).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(heartbeatTimeoutMs / 2);
  await pass();
  expect(asked).toHaveBeenCalledTimes(2);
});

test('a later attempt asks, and one that reached its worker late, and one whose clock disagrees with Temporal’s', async () => {
  for (const info of [infoOf(2), infoOf(1, Date.now() - 60_000), infoOf(1, Date.now() + 60_000)]) {
    const { pass, asked } = fenceOf(info);
    await pass();
    expect(asked).toHaveBeenCalledTimes(1);
  }
});

test('nothing passes that Temporal has given up or canceled, or does not answer for, or answers for too late', async () => {
  await expect(fenceOf(infoOf(2), async () => 'gone').pass()).rejects.toBeInstanceOf(AttemptGone);
  await expect(fenceOf(infoOf(2), async () => 'canceled').pass()).rejects.toBeInstanceOf(AttemptCanceled);
  await expect(fenceOf(infoOf(2), () => Promise.reject(new Error('away'))).pass()).rejects.toMatchObject({
    providerClass: 'transient',
  });
  const late = fenceOf(infoOf(2), async () => {
    vi.advanceTimersByTime(heartbeatTimeoutMs);
    return 'wanted';
  });
  await expect(late.pass()).rejects.toMatchObject({ providerClass: 'transient' });
});
