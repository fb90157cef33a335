import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { startTocsin } from "@tocsin/testing";
import { median, printRatio, type Benchmark } from "./run.ts";

const CONNECTIONS = 10_000;
const ROUNDS = 5;
const REQUEST = "GET /api/v1/query?query=up HTTP/1.1\r\nhost: localhost\r\n\r\n";
/** Every connection asks once per round, spread over this time. */
const ROUND_MS = 10_000;

/** 10,000 open connections on the dashboard's server, all asking: how long an answer takes on average. */
const benchmark: Benchmark = {
  summary: "10,000 keep-alive connections on the query API: mean and p99 response time",
  async run() {
    const tocsin = await startTocsin({ args: ["--log-level", "error"] });
    try {
      const { port, hostname } = new URL(tocsin.address("dashboard"));
      const sockets = await open(Number(port), hostname);
      console.log(`${sockets.length} connections open`);
      const means: number[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        const times = (
          await Promise.all(sockets.map((socket, i) => ask(socket, (i / sockets.length) * ROUND_MS)))
        ).toSorted((a, b) => a - b);
        const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
        means.push(mean);
        const p99 = times[Math.floor(times.length * 0.99)] as number;
        console.log(`round ${round}: ${times.length} answers, mean ${mean.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
      }
      for (const socket of sockets) socket.destroy();
      printRatio("mean_response_ms_at_10000_connections", median(means), "<=100");
    } finally {
      await tocsin.stop();
    }
  },
};

export default benchmark;

async function open(port: number, host: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < CONNECTIONS) {
    const batch = Array.from(
      { length: 200 },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(port, host, () => resolve(socket));
          socket.once("error", reject);
        }),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Milliseconds from the request to the last byte of its answer. */
async function ask(socket: Socket, afterMs: number): Promise<number> {
  await pause(afterMs);
  const start = performance.now();
  socket.write(REQUEST);
  let text = "";
  for await (const chunk of on(socket)) {
    text += chunk;
    const head = text.indexOf("\r\n\r\n");
    if (head === -1) continue;
    const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
    if (length !== undefined && Buffer.byteLength(text.slice(head + 4)) >= Number(length)) break;
  }
  return performance.now() - start;
}

async function* on(socket: Socket): AsyncGenerator<string> {
  while (true) {
    const chunk = await new Promise<Buffer>((resolve, reject) => {
      const onData = (data: Buffer) => {
        socket.off("close", onClose);
        resolve(data);
      };
      const onClose = () => reject(new Error("the server closed a connection"));
      socket.once("data", onData);
      socket.once("close", onClose);
    });
    yield chunk.toString();
  }
}
