import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

/** `vite --mode fake` answers the API from dev/fake-api.ts, so that pages can be worked on without a running platform. */
function fakeApiPlugin(): Plugin {
  return {
    name: "tocsin-fake-api",
    async configureServer(server) {
      // By a name that is computed, so that a build does not follow it into workspace packages that are not built.
      const { fakeApi } = (await import(
        new URL("dev/fake-api.ts", import.meta.url).href
      )) as typeof import("./dev/fake-api.ts");
      const answer = fakeApi();
      server.middlewares.use((request, response, next) => {
        if (!answer(request, response)) next();
      });
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "fake" ? [fakeApiPlugin()] : [])],
  resolve: { conditions: ["@tocsin/source", ...defaultClientConditions] },
  server: {
    host: "127.0.0.1",
    port: 5173,
    ...(mode === "fake" ? {} : { proxy: { "/api": process.env["TOCSIN_URL"] ?? "http://127.0.0.1:9400" } }),
  },
  build: { target: "es2023", chunkSizeWarningLimit: 700, assetsInlineLimit: 0, reportCompressedSize: false },
}));
