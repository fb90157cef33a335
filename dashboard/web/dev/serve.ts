import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { dashboardServer } from "@tocsin/dashboard-server";
import { fastify } from "fastify";
import { fakeApi } from "./fake-api.ts";

/**
 * The built dashboard with the real file server, its security policy included, over the made-up API:
 * `node --conditions=@tocsin/source dev/serve.ts [port]`. For screenshots and accessibility checks.
 */
const answer = fakeApi();
const app = fastify({
  serverFactory: (handler) =>
    createServer((request, response) => {
      if (!answer(request, response)) handler(request, response);
    }),
});
await app.register(dashboardServer, { webRoot: fileURLToPath(new URL("../dist", import.meta.url)) });
console.log(await app.listen({ host: "127.0.0.1", port: Number(process.argv[2] ?? 0) }));
