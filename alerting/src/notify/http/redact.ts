import { Secret } from "@tocsin/platform";

/** Every secret in a configuration block, however deep. */
export function secretsIn(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

/** Services repeat requests in their answers; what is logged must not repeat what was secret in them. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap(spellings)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, "<secret>"), text);
}

/** A path segment or parameter shorter than this is a word, not a credential. */
const MIN_URL_PART = 8;

/** How a secret can come back: as it is, in a URL, in JSON; of a secret URL also the parts that identify it. */
function spellings(secret: string): string[] {
  if (secret === "") return [];
  const written = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  if (!/^https?:/.test(secret) || !URL.canParse(secret)) return written;
  const { pathname, searchParams, password } = new URL(secret);
  const parts = [...pathname.split("/"), ...searchParams.values(), password].filter(
    (part) => part.length >= MIN_URL_PART,
  );
  return [...written, ...parts, ...parts.map(decodeURIComponentLeniently)];
}

function decodeURIComponentLeniently(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone percent sign: then there is no other spelling.
    return part;
  }
}
