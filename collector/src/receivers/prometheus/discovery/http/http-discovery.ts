import { DurationMs, sleep } from "@tocsin/platform";
import { z } from "zod";
import { Authorization, BasicAuth, credentialHeaders, oneKindOfCredentials } from "../../credentials.ts";
import { LabelName, type TargetGroup } from "../../target-group.ts";
import { defineDiscovery, type DiscoveryDeps } from "../discovery.ts";
import { RegistryDiscovery, type RegistrySource } from "../registry-discovery.ts";
import { requestJson } from "../request.ts";

const HttpSdConfig = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).describe("answers with a JSON list of {targets, labels}"),
    refresh_interval: DurationMs.refine((ms) => ms > 0, "must be above 0")
      .prefault("1m")
      .describe("how often it is asked"),
    follow_redirects: z.boolean().default(true),
    basic_auth: BasicAuth.optional().describe("not together with authorization"),
    authorization: Authorization.optional().describe("not together with basic_auth"),
  })
  .refine(...oneKindOfCredentials);
type HttpSdConfig = z.output<typeof HttpSdConfig>;

export const http = defineDiscovery({
  name: "http",
  config: HttpSdConfig,
  create: (config, deps) => new RegistryDiscovery(new HttpSource(config, deps), deps),
});

/** Prometheus ignores keys that it does not know here, other than in files. */
const Answer = z.array(
  z.object({
    targets: z.array(z.string().min(1)),
    labels: z
      .record(LabelName, z.string())
      .nullish()
      .transform((labels) => labels ?? {}),
  }),
);

const TIMEOUT_MS = 10_000;

class HttpSource implements RegistrySource {
  readonly kind = "http";
  readonly #config: HttpSdConfig;
  readonly #deps: DiscoveryDeps;

  constructor(config: HttpSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async follow(publish: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void> {
    const { url, refresh_interval } = this.#config;
    const { data, headers } = await requestJson(
      {
        url,
        schema: Answer,
        timeoutMs: TIMEOUT_MS,
        redirect: this.#config.follow_redirects ? "follow" : "manual",
        headers: {
          accept: "application/json",
          "user-agent": "Tocsin",
          "x-prometheus-refresh-interval-seconds": String(refresh_interval / 1000),
          ...(await credentialHeaders(this.#config)),
        },
      },
      this.#deps,
      signal,
    );
    const contentType = headers.get("content-type") ?? "";
    if (!/^application\/json(;\s*charset=("utf-8"|utf-8))?$/i.test(contentType))
      throw new Error(`unsupported content type ${JSON.stringify(contentType)}`);
    publish(data.map(({ targets, labels }) => ({ targets, labels: { ...labels, __meta_url: url } })));
    await sleep(this.#deps.clock, refresh_interval, signal);
  }
}
