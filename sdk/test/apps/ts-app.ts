import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";

const server = createServer((request, response) => {
  if (request.url?.startsWith("/items/")) trace.getActiveSpan()?.setAttribute("http.route", "/items/{id}");
  response.end("ok");
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
});
