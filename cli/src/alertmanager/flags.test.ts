import { expect, test } from "vitest";
import { parseAlertmanagerFlags } from "./flags.ts";

test("both spellings and the defaults of Alertmanager", () => {
  const flags = parseAlertmanagerFlags(["--config.file=am.yml", "--storage.path", "/var/am", "--no-log.silences"]);
  expect(flags).toMatchObject({
    configFile: "am.yml",
    storagePath: "/var/am",
    retentionMs: 120 * 3_600_000,
    listen: [{ host: undefined, port: 9093 }],
    routePrefix: "",
    logFormat: "logfmt",
    matcherMode: "default",
  });
});

test("listen addresses repeat, name every interface, port 0 and IPv6", () => {
  const { listen } = parseAlertmanagerFlags([
    "--web.listen-address=127.0.0.1:0",
    "--web.listen-address=:9093",
    "--web.listen-address=[::1]:9094",
  ]);
  expect(listen).toEqual([
    { host: "127.0.0.1", port: 0 },
    { host: undefined, port: 9093 },
    { host: "::1", port: 9094 },
  ]);
});

test("the route prefix is the external URL's path unless it is given", () => {
  const url = "--web.external-url=https://ops.example/am/";
  expect(parseAlertmanagerFlags([url])).toMatchObject({ externalUrl: "https://ops.example/am", routePrefix: "/am" });
  expect(parseAlertmanagerFlags([url, "--web.route-prefix=/"]).routePrefix).toBe("");
  expect(parseAlertmanagerFlags(["--web.route-prefix=x/"]).routePrefix).toBe("/x");
});

test("durations as Go prints them", () => {
  expect(parseAlertmanagerFlags(["--data.retention=1h0m0s"]).retentionMs).toBe(3_600_000);
  expect(parseAlertmanagerFlags(["--dispatch.start-delay=0s"]).startDelayMs).toBe(0);
});

test.each([
  [["--nonsense"], "Unknown option '--nonsense'"],
  [["--data.retention=soon"], '--data.retention: "soon" is not a duration'],
  [["--web.listen-address=9093"], '--web.listen-address: "9093" is not host:port'],
  [["--enable-feature=magic"], '--enable-feature: unknown option "magic"'],
  [["--enable-feature=classic-mode,utf8-strict-mode"], "exclude each other"],
  [["--cluster.peer=other:9094"], "--cluster.peer: is not built yet"],
  [["--log.level=loud"], '--log.level: "loud" is none of'],
])("%j is refused by name", (args, message) => {
  expect(() => parseAlertmanagerFlags(args)).toThrow(message);
});
