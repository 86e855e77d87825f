/** Longer texts of a provider are cut: no history or row is to grow by a page of HTML. */
const longestText = 4096;
/** What a call of a user's gave is theirs to use, and was cut by whoever made the call: it may be all one text. */
const longestOutput = 65_536;

/** A text as PostgreSQL can keep it, in JSON too: without NUL and half surrogates, and of bounded length. */
export function storableText(text: string, longest = longestText): string {
  const plain = text.replaceAll('\0', '');
  return (plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain).toWellFormed();
}

/** What JSON keeps of a value, with every text in it made storable; those under `outputs` may be longer. */
export function storable<Value extends object>(value: Value): Value {
  return part(JSON.parse(JSON.stringify(value)), longestText);
}

function part<Part>(value: Part, longest: number): Part;
function part(value: unknown, longest: number): unknown {
  if (typeof value === 'string') return storableText(value, longest);
  if (Array.isArray(value)) return value.map((one) => part(one, longest));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [
    storableText(name),
    part(one, name === 'outputs' ? longestOutput : longest),
  ]);
  return Object.fromEntries(entries);
}
