import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { decodeLogs, decodeTraces } from "@tocsin/model/otlp";
import { median, printRatio, type Benchmark } from "./run.ts";

const ROUNDS = 5;
const REQUESTS = 20_000;
const WARM_UP = 10_000;
const CONNECTIONS = 50;

const variants = {
  bare: { path: "/hello", sdk: false },
  sdk: { path: "/hello", sdk: true },
  "bare, log": { path: "/logged", sdk: false },
  "sdk, log": { path: "/logged", sdk: true },
} as const;
type Variant = keyof typeof variants;
const names = Object.keys(variants) as Variant[];

/** What the SDK costs a Fastify service: CPU time of its process per request, every request traced and exported. */
const benchmark: Benchmark = {
  summary: "Fastify hello: CPU per request, bare, with the SDK, and with the SDK and a log line",
  async run() {
    const sink = await startSink();
    const servers = new Map<Variant, Server>();
    try {
      for (const name of names) servers.set(name, await startServer(name, sink.url));
      const each = async (measure: (name: Variant, server: Server) => Promise<void>): Promise<void> => {
        for (const [name, server] of servers) await measure(name, server);
      };
      await each((_name, server) => server.serve(WARM_UP).then(() => {}));
      const cost: Record<Variant, number[]> = { bare: [], sdk: [], "bare, log": [], "sdk, log": [] };
      for (let round = 1; round <= ROUNDS; round++) {
        await each(async (name, server) => void cost[name].push(await server.serve(REQUESTS)));
        console.log(`round ${round}: ${names.map((name) => `${name} ${cost[name].at(-1)?.toFixed(1)}`).join(", ")} µs`);
      }
      const bare = median(cost.bare);
      for (const name of names) console.log(`${name.padEnd(10)} ${median(cost[name]).toFixed(1)} µs CPU per request`);
      const own = median(cost["sdk, log"]) - median(cost["bare, log"]);
      console.log(`over a service that logs as much without the SDK: ${own.toFixed(1)} µs`);
      await sink.received(2 * (ROUNDS * REQUESTS + WARM_UP), ROUNDS * REQUESTS + WARM_UP);
      console.log(`the collector got all ${sink.spans} spans and ${sink.logs} log records`);
      printRatio("sdk_overhead_us", median(cost.sdk) - bare, "<=15");
      printRatio("sdk_logs_overhead_us", own, "<=20");
    } finally {
      for (const server of servers.values()) await server.stop();
      sink.stop();
    }
  },
};

export default benchmark;

interface Server {
  /** CPU microseconds of the process per request. */
  serve(requests: number): Promise<number>;
  stop(): Promise<void>;
}

async function startServer(name: Variant, collector: string): Promise<Server> {
  const { path, sdk } = variants[name];
  const preload = sdk ? ["--import", "@tocsin/sdk/register"] : [];
  const child = fork(fileURLToPath(new URL("sdk/server.ts", import.meta.url)), {
    execArgv: ["--conditions=@tocsin/source", ...preload],
    env: {
      PATH: process.env["PATH"],
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_BSP_MAX_QUEUE_SIZE: "20000",
      OTEL_BLRP_MAX_QUEUE_SIZE: "20000",
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ address }] = (await once(child, "message")) as [{ address: string }];
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectTo(address, path)));
  return {
    async serve(requests) {
      await used(child);
      let left = requests;
      const client = async (ask: () => Promise<void>): Promise<void> => {
        while (left-- > 0) await ask();
      };
      await Promise.all(connections.map(({ ask }) => client(ask)));
      return (await used(child)) / requests;
    },
    async stop() {
      for (const connection of connections) connection.close();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** CPU microseconds since the last asking. */
async function used(child: ChildProcess): Promise<number> {
  child.send("used");
  const [{ cpuUs }] = (await once(child, "message")) as [{ cpuUs: number }];
  return cpuUs;
}

/** One keep-alive connection; a bare socket, so that the client takes little of the processor from the server. */
async function connectTo(address: string, path: string): Promise<{ ask: () => Promise<void>; close: () => void }> {
  const { port, hostname } = new URL(address);
  const socket = connect(Number(port), hostname).setNoDelay();
  await once(socket, "connect");
  const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  let answered = Promise.withResolvers<void>();
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    answer += text;
    if (!answer.endsWith('{"hello":"world"}')) return;
    answer = "";
    answered.resolve();
  });
  socket.on("error", (error) => answered.reject(error));
  socket.on("close", () => answered.reject(new Error("the server closed a connection")));
  return {
    ask() {
      answered = Promise.withResolvers();
      socket.write(request);
      return answered.promise;
    },
    close: () => socket.removeAllListeners("close").destroy(),
  };
}

/** A collector that counts. */
async function startSink() {
  const counts = { spans: 0, logs: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (request.url === "/v1/traces") counts.spans += decodeTraces(body).length;
      else counts.logs += decodeLogs(body).length;
      response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spans() {
      return counts.spans;
    },
    get logs() {
      return counts.logs;
    },
    /** Resolves when that much has come, which proves that nothing was saved by dropping it. */
    async received(spans: number, logs: number): Promise<void> {
      const endsAt = performance.now() + 10_000;
      while (counts.spans < spans || counts.logs < logs) {
        if (performance.now() > endsAt)
          throw new Error(
            `the collector got ${counts.spans} of ${spans} spans and ${counts.logs} of ${logs} log records`,
          );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
