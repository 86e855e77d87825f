import { type ErrorInfo, MillwrightError, toErrorInfo } from '../../src/errors.ts';

/** What asking again would not change comes back as a value; all else is thrown, and tried again. */
export async function orRefused<Result>(
  isFinal: (error: MillwrightError) => boolean,
  perform: () => Promise<Result>,
): Promise<Result | { readonly refused: ErrorInfo }> {
  try {
    return await perform();
  } catch (error) {
    if (error instanceof MillwrightError && isFinal(error)) return { refused: toErrorInfo(error) };
    throw error;
  }
}
