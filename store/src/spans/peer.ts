import type { Attributes, Span } from "@tocsin/model";

/** What a client or producer span talks to, where its own attributes say so. */
export interface Peer {
  kind: "database" | "queue" | "external";
  name: string;
}

/** Reads the peer from OpenTelemetry's semantic conventions, current and former names; undefined when none is named. */
export function peerOf(span: Pick<Span, "kind" | "attributes">): Peer | undefined {
  if (span.kind !== 3 && span.kind !== 4) return undefined;
  const { attributes } = span;
  const database = text(attributes, "db.system.name", "db.system");
  if (database !== undefined)
    return { kind: "database", name: text(attributes, "db.namespace", "db.name") ?? database };
  const messaging = text(attributes, "messaging.system");
  if (messaging !== undefined) {
    return {
      kind: "queue",
      name: text(attributes, "messaging.destination.name", "messaging.destination") ?? messaging,
    };
  }
  const host = text(attributes, "peer.service", "server.address", "net.peer.name", "http.host");
  return host === undefined ? undefined : { kind: "external", name: host };
}

function text(attributes: Attributes, ...keys: string[]): string | undefined {
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}
