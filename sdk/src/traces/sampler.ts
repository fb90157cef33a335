import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";

/** The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name; a ratio that is none counts as 1. */
export function createSampler(name: string, arg: string | undefined): Sampler {
  const root = name.replace(/^parentbased_/, "");
  const sampler = rootSampler(root, arg);
  return root === name ? sampler : new ParentBasedSampler({ root: sampler });
}

function rootSampler(name: string, arg: string | undefined): Sampler {
  if (name === "always_off") return new AlwaysOffSampler();
  if (name !== "traceidratio") return new AlwaysOnSampler();
  const ratio = Number(arg ?? 1);
  return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
}
