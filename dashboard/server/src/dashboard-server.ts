import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { securityHeaders } from "./security-headers.ts";
import { notBuiltPage } from "./not-built-page.ts";

export interface DashboardServerOptions {
  /** The folder `vite build` writes: `dashboard/web/dist`. */
  webRoot: string;
}

/** Paths that belong to APIs; an unknown one there is a 404, never a page. */
const API_PATHS = /^\/(?:api|v1|-)(?:\/|$)/;

/**
 * Serves the dashboard's files, and its one page for every page path. Register it on the root instance before the parts
 * that have routes of their own, so that a browser that goes to `/metrics` gets the page there while a scraper gets
 * the exposition. Files under `/assets/` carry a hash in their name and never change; everything else is asked for anew.
 */
export async function dashboardServer(app: FastifyInstance, { webRoot }: DashboardServerOptions): Promise<void> {
  await app.register(fastifyStatic, { root: webRoot, serve: false, cacheControl: false });

  app.addHook("onRequest", async (request, reply) => {
    if (request.method === "GET" && pathOf(request) === "/metrics" && wantsPage(request)) {
      await sendPage(reply, webRoot);
      return reply;
    }
  });

  app.get("/assets/*", async (request, reply) => {
    reply.headers(securityHeaders()).header("cache-control", "public, max-age=31536000, immutable");
    return reply.sendFile(decodeURIComponent(pathOf(request)));
  });

  app.get("/*", async (request, reply) => {
    const path = pathOf(request);
    if (API_PATHS.test(path)) return reply.callNotFound();
    if (extname(path) === "" || path === "/index.html") return sendPage(reply, webRoot);
    reply.headers(securityHeaders()).header("cache-control", "no-cache");
    return reply.sendFile(decodeURIComponent(path));
  });
}

// Without a scope of its own: the hook must see the requests of the other parts.
Object.assign(dashboardServer, { [Symbol.for("skip-override")]: true });

/** The page with this answer's own nonce in it, so that only the styles our libraries add may apply. */
async function sendPage(reply: FastifyReply, webRoot: string): Promise<FastifyReply> {
  const html = await readFile(join(webRoot, "index.html"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const nonce = randomBytes(16).toString("base64");
  reply.headers(securityHeaders(nonce)).header("cache-control", "no-store").type("text/html; charset=utf-8");
  if (html === undefined) return reply.code(503).send(notBuiltPage(webRoot, nonce));
  return reply.send(html.replace('<meta name="csp-nonce" content=""', `<meta name="csp-nonce" content="${nonce}"`));
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "/";
}

function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes("text/html") === true;
}
