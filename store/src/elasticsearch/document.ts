import { createHash } from "node:crypto";
import { plainValue, serviceName, type Attributes, type Resource, type Scope } from "@tocsin/model";
import { attributeTerms, type SearchTerms } from "./search-terms.ts";

/** Nothing within text of this length is too long for a term, which `flat_object` does not cut. */
const SHORT_ATTRIBUTES = 8000;

/** What the records of one resource share, as members of a document. */
export interface ResourcePart {
  service: string;
  members: string;
  terms: SearchTerms;
}

/** Makes the part of each resource and scope once, however many records have it. */
export class SharedParts {
  readonly #resources = new Map<Resource, ResourcePart>();
  readonly #scopes = new Map<Scope, string>();

  resource(resource: Resource): ResourcePart {
    const known = this.#resources.get(resource);
    if (known) return known;
    const { attributes } = resource;
    const service = serviceName(resource);
    const version = attributes["service.version"];
    const members =
      `"service":${JSON.stringify(service)}` +
      (typeof version === "string" && version !== "" ? `,"service_version":${JSON.stringify(version)}` : "") +
      attributesMember("resource", attributes);
    const part = { service, members, terms: attributeTerms("r", attributes) };
    this.#resources.set(resource, part);
    return part;
  }

  scope(scope: Scope): string {
    const known = this.#scopes.get(scope);
    if (known !== undefined) return known;
    const { name, version, attributes } = scope;
    const members =
      (name === "" ? "" : `,"scope":${JSON.stringify(name)}`) +
      (version === "" ? "" : `,"scope_version":${JSON.stringify(version)}`) +
      (Object.keys(attributes).length === 0 ? "" : `,"scope_attributes":${plainJson(attributes)}`);
    this.#scopes.set(scope, members);
    return members;
  }
}

export function plainJson(attributes: Attributes): string {
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    const simple = typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
    if (!simple) return JSON.stringify(plainValue(attributes));
  }
  return JSON.stringify(attributes);
}

/** Long attributes are kept under a name that is not mapped, because not every server can index them. */
export function attributesMember(name: "attributes" | "resource", attributes: Attributes): string {
  const json = plainJson(attributes);
  if (json === "{}") return "";
  return json.length > SHORT_ATTRIBUTES ? `,"long_${name}":${json}` : `,"${name}":${json}`;
}

export function searchMember(words: string, own: SearchTerms, resource: SearchTerms): string {
  const terms = joined(own.terms, resource.terms);
  return `,"search":{"words":${JSON.stringify(words)},"terms":[${terms}],"numbers":[${joined(own.numbers, resource.numbers)}]}`;
}

const joined = (a: string, b: string): string => (a === "" || b === "" ? a + b : `${a},${b}`);

/** Time as the index has it: milliseconds to sort and filter by, and what is left of the nanoseconds. */
export function splitTime(unixNano: bigint): { ms: number; nanos: number } {
  const ms = unixNano / 1_000_000n;
  return { ms: Number(ms), nanos: Number(unixNano - ms * 1_000_000n) };
}

export const joinTime = (ms: number, nanos: number): bigint => BigInt(ms) * 1_000_000n + BigInt(nanos);

/** Up to 32 bits of a hash, as a number. */
export const hashNumber = (hash: Buffer): number => hash.readUInt32BE(0);

export const sha1 = (...parts: readonly (Uint8Array | string)[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The members of every document as they come back. */
export interface StoredDocument {
  "@timestamp": string;
  nanos: number;
  order: number;
  received: string;
  service: string;
  scope?: string;
  attributes?: Record<string, unknown>;
  long_attributes?: Record<string, unknown>;
  resource?: Record<string, unknown>;
  long_resource?: Record<string, unknown>;
}

export const attributesOf = ({ attributes, long_attributes: long }: StoredDocument): Record<string, unknown> =>
  attributes ?? long ?? {};

export const resourceOf = ({ resource, long_resource: long }: StoredDocument): Record<string, unknown> =>
  resource ?? long ?? {};
