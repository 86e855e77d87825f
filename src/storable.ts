/** Longer texts of a provider are cut: no history or row is to grow by a page of HTML. */
const longestText = 4096;

/** A text as PostgreSQL can keep it, in JSON too: without NUL and half surrogates, and of bounded length. */
export function storableText(text: string): string {
  const plain = text.replaceAll('\0', '');
  return (plain.length > longestText ? `${plain.slice(0, longestText - 1)}…` : plain).toWellFormed();
}

/** What JSON keeps of a value, with every text in it made storable. */
export function storable<Value extends object>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_name, part: unknown) =>
    typeof part === 'string' ? storableText(part) : part,
  );
}
