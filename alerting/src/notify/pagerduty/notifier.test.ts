import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const pagerduty = (url: string, keys: string) => notifierOf(`pagerduty_configs: [{url: '${url}/v2/enqueue', ${keys}}]`);
const v2 = (url: string, keys = "") => pagerduty(url, `routing_key: routing-key-1, ${keys}`);
const v1 = (url: string, keys = "") => pagerduty(url, `service_key: service-key-1, ${keys}`);

httpNotifierContract("pagerduty v2", (url) => v2(url), { alsoRetried: [429], secrets: ["routing-key-1"] });
httpNotifierContract("pagerduty v1", (url) => v1(url), { alsoRetried: [403], secrets: ["service-key-1"] });

const scene = sinkScene();
/** SHA-256 of {}:{alertname="High"}. */
const KEY = "f3d6947c9c15e6b3a6ec260804b8d597eb27cad181cfeb7ae7dfa22cc537fc3e";

describe("Events API v2", () => {
  test("a firing group triggers with the defaults of Alertmanager", async () => {
    await scene.notify(v2(scene.sink.url));
    expect(scene.sink.received[0]).toMatchObject({ method: "POST", path: "/v2/enqueue" });
    expect(scene.sink.bodies[0]).toMatchObject({
      routing_key: "routing-key-1",
      event_action: "trigger",
      dedup_key: KEY,
      client: "Alertmanager",
      client_url: "http://am.example/#/alerts?receiver=team",
      images: [],
      links: [],
      payload: {
        summary: "[FIRING:1] High (page)",
        source: "Alertmanager",
        severity: "error",
        custom_details: {
          num_firing: 1,
          num_resolved: 0,
          resolved: [],
          firing: [{ status: "firing", labels: { alertname: "High", severity: "page" } }],
        },
      },
    });
  });

  test("an ended group resolves under the same key", async () => {
    await scene.notify(v2(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
    expect(scene.sink.bodies[0]).toMatchObject({ event_action: "resolve", dedup_key: KEY });
  });

  test("everything is a template; images without src and links without href are left out", async () => {
    await scene.notify(
      v2(
        scene.sink.url,
        `severity: '{{ .CommonLabels.severity }}', class: c, component: '{{ .Status }}', group: g, source: s, client_url: '',
         images: [{src: 'http://i/{{ .Status }}', alt: a}, {src: '', alt: b}], links: [{href: 'http://l', text: t}, {text: u}],
         details: {nested: {count: '{{ len .Alerts }}', list: [x, '{{ .Status }}']}, num_firing: mine}`,
      ),
    );
    expect(scene.sink.bodies[0]).toMatchObject({
      images: [{ src: "http://i/firing", alt: "a", href: "" }],
      links: [{ href: "http://l", text: "t" }],
      payload: {
        severity: "page",
        class: "c",
        component: "firing",
        group: "g",
        source: "s",
        custom_details: { nested: { count: 1, list: ["x", "firing"] }, num_firing: "mine", num_resolved: 0 },
      },
    });
    expect(scene.sink.bodies[0]).not.toHaveProperty("client_url");
  });

  test("a summary is cut at 1024 characters", async () => {
    await scene.notify(v2(scene.sink.url, `description: '${"x".repeat(1030)}'`));
    expect(scene.sink.bodies[0]).toMatchObject({ payload: { summary: `${"x".repeat(1023)}…` } });
  });

  test("an event of more than 512 kB loses its details", async () => {
    await scene.notify(v2(scene.sink.url), {
      alerts: [flushed({ alertname: "High" }, { annotations: { long: "x".repeat(512_000) } })],
    });
    const body = scene.sink.bodies[0] as { payload: { custom_details: object } };
    expect(Object.keys(body.payload.custom_details)).toEqual(["error"]);
  });

  test("what it says about a bad event is passed on", async () => {
    scene.sink.answerJson(
      { status: "invalid event", message: "Event object is invalid", errors: ["bad severity"] },
      400,
    );
    expect(await scene.notify(v2(scene.sink.url))).toMatchObject({
      status: "failed",
      reason: "clientError",
      error: expect.stringContaining("bad severity") as string,
    });
  });

  test("a label that looks like a template is only a label", async () => {
    await scene.notify(v2(scene.sink.url), { alerts: [flushed({ alertname: "High", odd: "{{ .Receiver }} 1.10" })] });
    expect(scene.sink.bodies[0]).toMatchObject({
      payload: { custom_details: { firing: [{ labels: { odd: "{{ .Receiver }} 1.10" } }] } },
    });
  });

  test("a key that renders to nothing is final", async () => {
    expect(await scene.notify(pagerduty(scene.sink.url, "routing_key: '{{ .CommonLabels.none }}'"))).toMatchObject({
      status: "failed",
      error: "routing key cannot be empty",
    });
  });
});

describe("Events API v1", () => {
  test("a service key goes to the older path, client and link only while it fires", async () => {
    await scene.notify(v1(scene.sink.url));
    await scene.notify(v1(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
    expect(scene.sink.received[0]?.path).toBe("/generic/2010-04-15/create_event.json");
    expect(scene.sink.bodies[0]).toMatchObject({
      service_key: "service-key-1",
      event_type: "trigger",
      incident_key: KEY,
      description: "[FIRING:1] High (page)",
      client: "Alertmanager",
      details: { num_firing: 1 },
    });
    expect(scene.sink.bodies[1]).toMatchObject({ event_type: "resolve", incident_key: KEY });
    expect(scene.sink.bodies[1]).not.toHaveProperty("client");
  });
});

test.each([
  ["", "missing service or routing key"],
  ["routing_key: a, routing_key_file: b", "at most one of routing_key and routing_key_file"],
])("{%s} is refused", (keys, message) => expect(() => pagerduty("http://x", keys)).toThrow(message));
