import { expect, test } from "vitest";
import { parseConfig } from "@tocsin/platform";
import { z } from "zod";
import { integrations } from "../notify/integrations.ts";
import { ExtraReceivers, joinExtraReceivers } from "./extra-receivers.ts";
import { parseRouterConfig } from "./load.ts";

const alertmanager = parseRouterConfig(
  "/etc/am/alertmanager.yml",
  "global: {http_config: {follow_redirects: false}}\nroute: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: 'http://x'}]}, {name: dev}]\n",
  { integrations },
);
const join = (receivers: string) => {
  const section = z.object({ receivers: ExtraReceivers });
  const parsed = parseConfig({ file: "/etc/tocsin/tocsin.yaml", text: `receivers: ${receivers}` }, section);
  return joinExtraReceivers(alertmanager, parsed.receivers, "/etc/tocsin/tocsin.yaml");
};

test("blocks are joined to the receiver of the same name; what Alertmanager's tools see stays as it is", () => {
  const config = join(
    `[{name: ops, dingtalk_configs: [{webhook_url: 'http://d'}, {webhook_url: 'http://e'}], sms_configs: [{url: 'http://s', to: ['+8613800000001']}]}]`,
  );
  const [ops, dev] = config.receivers;
  expect(ops?.integrations.map(({ integration, index }) => `${integration.name}/${index}`)).toEqual([
    "webhook/0",
    "dingtalk/0",
    "dingtalk/1",
    "sms/0",
  ]);
  expect(dev?.integrations).toEqual([]);
  expect(config.original).toBe(alertmanager.original);
});

test("http_config is alertmanager.yml's unless a block has its own, whose files count from tocsin.yaml", () => {
  const config = join(
    `[{name: ops, feishu_configs: [{webhook_url: 'http://f'}, {webhook_url: 'http://g', http_config: {authorization: {credentials_file: token}}}]}]`,
  );
  expect(config.receivers[0]?.integrations.slice(1).map(({ config }) => config)).toMatchObject([
    { http_config: { follow_redirects: false } },
    { http_config: { follow_redirects: true, authorization: { credentials_file: "/etc/tocsin/token" } } },
  ]);
});

test.each([
  [
    "[{name: opps, sms_configs: []}]",
    'receivers.0.name: no receiver of alertmanager.yml has the name "opps" (it has ops, dev)',
  ],
  ["[{name: ops}, {name: ops}]", 'receivers.1.name: receiver "ops" is not unique'],
  ["[{name: ops, dingtlk_configs: []}]", "/etc/tocsin/tocsin.yaml:1:25 receivers.0.dingtlk_configs: unknown key"],
  ["[{name: ops, dingtalk_configs: [{webhook_url: 7}]}]", "receivers.0.dingtalk_configs.0.webhook_url"],
  [
    "[{name: ops, feishu_configs: [{webhook_url: 'http://f', http_config: {folow: 1}}]}]",
    "http_config.folow: unknown key",
  ],
])("%s is refused", (receivers, message) => expect(() => join(receivers)).toThrow(message));

test("the section describes itself for the reference", () => {
  const schema = JSON.stringify(z.toJSONSchema(ExtraReceivers, { io: "input", unrepresentable: "any" }));
  expect(schema).toContain("the robot's address, with its key");
});
