import { registerHooks } from "node:module";

registerHooks({
  load(url, context, next) {
    if (url.includes("/exporter-trace-otlp-http/")) process.stdout.write("exporter loaded\n");
    return next(url, context);
  },
});
