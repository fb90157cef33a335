import { serviceName, type Exemplar, type Labels, type Span } from "@tocsin/model";
import { peerOf, type Peer } from "../spans/peer.ts";
import { HistogramCounter } from "./histogram-counter.ts";

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const ERROR = 2;

/** The two halves of a call may arrive this far apart. */
const PAIRING_MS = 10_000;
const MAX_WAITING = 20_000;
const BOUNDS_SECONDS = [0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15];

interface Half {
  service: string;
  seconds: number;
  failed: boolean;
}

interface WaitingCall {
  client: (Half & { peer: Peer | undefined }) | undefined;
  server: Half | undefined;
  since: number;
}

interface Edge {
  labels: Labels;
  failed: number;
  server: HistogramCounter;
  client: HistogramCounter;
  total: number;
}

/**
 * Calls between services as metrics, named as OpenTelemetry's servicegraph connector names them. A client span waits
 * for the server span that has it as parent; alone after that time it counts as a call to the peer it names.
 */
export class ServiceGraphMetrics {
  readonly #maxEdges: number;
  readonly #edges = new Map<string, Edge>();
  readonly #waiting = new Map<string, WaitingCall>();
  unpaired = 0;

  constructor(maxEdges: number) {
    this.#maxEdges = maxEdges;
  }

  add(span: Span, at: number): void {
    const half = {
      service: serviceName(span.resource),
      seconds: Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e9,
      failed: span.status.code === ERROR,
    };
    if (span.kind === CLIENT || span.kind === PRODUCER) {
      this.#join(span.traceId + span.spanId, at, (call) => (call.client = { ...half, peer: peerOf(span) }));
    } else if ((span.kind === SERVER || span.kind === CONSUMER) && span.parentSpanId !== "") {
      this.#join(span.traceId + span.parentSpanId, at, (call) => (call.server = half));
    }
  }

  expire(at: number): void {
    for (const [key, { client, since }] of this.#waiting) {
      if (at - since < PAIRING_MS) break;
      this.#waiting.delete(key);
      if (client?.peer) this.#count(client.service, client.peer.name, connectionType(client.peer), client, undefined);
    }
  }

  series(): { labels: Labels; value: number; exemplar?: Exemplar }[] {
    return [...this.#edges.values()].flatMap(({ labels, total, failed, server, client }) => [
      { labels: { ...labels, __name__: "traces_service_graph_request_total" }, value: total },
      { labels: { ...labels, __name__: "traces_service_graph_request_failed_total" }, value: failed },
      ...(server.count > 0 ? server.series("traces_service_graph_request_server_seconds", labels) : []),
      ...(client.count > 0 ? client.series("traces_service_graph_request_client_seconds", labels) : []),
    ]);
  }

  #join(key: string, at: number, put: (call: WaitingCall) => void): void {
    const known = this.#waiting.get(key);
    if (!known && this.#waiting.size >= MAX_WAITING) {
      this.unpaired++;
      return;
    }
    const call = known ?? { client: undefined, server: undefined, since: at };
    put(call);
    const { client, server } = call;
    if (client && server) {
      this.#waiting.delete(key);
      this.#count(client.service, server.service, "", client, server);
    } else this.#waiting.set(key, call);
  }

  #count(client: string, server: string, connection: string, sent: Half, served: Half | undefined): void {
    const key = `${client}\0${server}\0${connection}`;
    let edge = this.#edges.get(key);
    if (!edge) {
      if (this.#edges.size >= this.#maxEdges) {
        this.unpaired++;
        return;
      }
      const labels = { client, server, connection_type: connection };
      edge = {
        labels,
        failed: 0,
        total: 0,
        server: new HistogramCounter(BOUNDS_SECONDS),
        client: new HistogramCounter(BOUNDS_SECONDS),
      };
      this.#edges.set(key, edge);
    }
    edge.total++;
    if (sent.failed || served?.failed === true) edge.failed++;
    edge.client.add(sent.seconds);
    if (served) edge.server.add(served.seconds);
  }
}

function connectionType({ kind }: Peer): string {
  if (kind === "database") return "database";
  return kind === "queue" ? "messaging_system" : "virtual_node";
}
