/** The comparisons that one file's faults may cost: one whose every name is wrong needs no thousand hints. */
const comparisonsPerFile = 500_000;

/** A list is shown whole up to this many names. */
const few = 16;

/** Says of a name that is not known which was probably meant, and which there are. Made anew for each file. */
export class Spelling {
  #comparisonsLeft = comparisonsPerFile;

  /** `There is no region "tpe1"; did you mean "tpe-1"? There are: nrt-1, tpe-1.` */
  unknown(what: string, name: string, known: readonly string[], where = ''): string {
    const near = this.near(name, known);
    const listed = known.length <= few ? ` There are: ${known.join(', ') || 'none'}.` : '';
    return `There is no ${what} ${quoted(name)}${where}${near === undefined ? '.' : `; did you mean "${near}"?`}${listed}`;
  }

  /** The known name nearest to `name`, if one is near enough to have been meant. */
  near(name: string, known: readonly string[]): string | undefined {
    this.#comparisonsLeft -= known.length;
    if (this.#comparisonsLeft < 0) return undefined;
    const word = plain(name);
    let best: string | undefined;
    let least = Math.floor(word.length / 3) + 1;
    for (const candidate of known) {
      const distance = distanceBetween(word, plain(candidate), least);
      if (distance < least) [best, least] = [candidate, distance];
    }
    return best;
  }
}

/** A name as a message shows it: in quotes, on one line, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}

/** `depends_on`, `DependsOn` and `dependsOn` are one word. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

/**
 * How many letters have to be typed otherwise, neighbours swapped counting as one (optimal string alignment); a
 * beginning of the other word counts as one too. Exact below `limit` only.
 */
function distanceBetween(one: string, other: string, limit: number): number {
  if (one === other) return 0;
  if (Math.min(one.length, other.length) >= 3 && (one.startsWith(other) || other.startsWith(one))) return 1;
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      now[column] = Math.min(
        (last[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    if (Math.min(...now) >= limit) return limit;
    [beforeLast, last] = [last, now];
  }
  return last[other.length] ?? limit;
}
