/** As JSON, for a payload of Temporal holds 2 MiB and control characters are six bytes there. */
const atMostBytes = 512 * 1024;
const longestLine = 4096;

/** The last of these lines, so many as are wanted and fit into one answer, each cut at 4,096 characters. */
export function fittingLines(lines: readonly string[], wanted: number): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.slice(-wanted).toReversed()) {
    const text = line.slice(0, longestLine);
    bytes += Buffer.byteLength(JSON.stringify(text)) + 1;
    if (bytes > atMostBytes) break;
    kept.push(text);
  }
  return kept.reverse();
}
