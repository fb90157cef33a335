import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";
import { parseRouterConfig } from "../../config/load.ts";
import { integrations } from "../integrations.ts";

const teams = (url: string, keys = "") =>
  notifierOf(`msteamsv2_configs: [{webhook_url: '${url}/workflows/1?sig=flow-sig-1', ${keys}}]`);

httpNotifierContract("msteamsv2", (url) => teams(url), { secrets: ["flow-sig-1"] });

const scene = sinkScene();

test("a message is an adaptive card of full width", async () => {
  await scene.notify(teams(scene.sink.url, "text: '**{{ .Status }}**'"));
  expect(scene.sink.bodies[0]).toEqual({
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.2",
          body: [
            {
              type: "TextBlock",
              text: "[FIRING:1] High (page)",
              weight: "Bolder",
              size: "Medium",
              wrap: true,
              style: "heading",
              color: "Attention",
            },
            { type: "TextBlock", text: "**firing**", wrap: true },
          ],
          msteams: { width: "full" },
        },
      },
    ],
  });
});

test("an end is good", async () => {
  await scene.notify(teams(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
  expect(scene.sink.bodies[0]).toMatchObject({ attachments: [{ content: { body: [{ color: "Good" }, {}] } }] });
});

test("an own http_config takes over the global proxy, and only that", () => {
  const text = `
global: {http_config: {proxy_url: 'http://proxy:3128', bearer_token: g}}
route: {receiver: a}
receivers: [{name: a, msteamsv2_configs: [{webhook_url: 'http://x', http_config: {follow_redirects: false}}]}]
`;
  const { original } = parseRouterConfig("/am.yml", text, { integrations });
  const own = original.slice(original.indexOf("msteamsv2_configs"));
  expect(own).toContain("proxy_url: http://proxy:3128");
  expect(own).not.toContain("authorization");
});
