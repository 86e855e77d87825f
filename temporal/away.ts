import { isGrpcServiceError } from '@temporalio/client';

/** Status codes of gRPC: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE. */
const awayCodes: readonly number[] = [1, 4, 14];

/** True where Temporal could not be reached, or did not answer in time: whatever is asked of it now fares alike. */
export function isTemporalAway(error: unknown): boolean {
  if (isGrpcServiceError(error)) return awayCodes.includes(error.code);
  return error instanceof Error && isTemporalAway(error.cause);
}
