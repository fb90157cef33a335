import { VERSION } from "../version.ts";

export interface BannerFacts {
  readyMs: number;
  /** Name → address, in the order to print. */
  addresses: readonly (readonly [name: string, address: string])[];
  dataDir: string;
  demo: boolean;
  notes: readonly string[];
}

/** What `tocsin up` prints once everything serves. Tests and scripts read the addresses off it, two spaces in. */
export function banner(facts: BannerFacts): string {
  const width = Math.max(...facts.addresses.map(([name]) => name.length));
  return [
    "",
    `  Tocsin ${VERSION} is ready in ${(facts.readyMs / 1000).toFixed(1)} s`,
    "",
    ...facts.addresses.map(([name, address]) => `  ${name.padEnd(width)}  ${address}`),
    "",
    `  data in ${facts.dataDir}`,
    ...facts.notes.map((note) => `  note: ${note}`),
    ...(facts.demo ? ["", "  Break something: the panel on the dashboard, or  npx tocsin drill sms-outage"] : []),
    "  Ctrl-C stops everything.",
    "",
  ].join("\n");
}
