import { parseConfig } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { z } from "zod";
import { ExtraReceivers, joinExtraReceivers } from "../src/config/extra-receivers.ts";
import { parseRouterConfig } from "../src/config/load.ts";
import type { Notifier } from "../src/notify/integration.ts";
import { integrations } from "../src/notify/integrations.ts";
import { templates } from "./notifier.ts";
import { START } from "./scene.ts";

/** The notifier that a block of tocsin.yaml gives, by way of both files. */
export function extraNotifierOf(block: string, global = "{}"): Notifier {
  const text = `receivers:\n- {name: team, ${block}}\n`;
  const { receivers } = parseConfig({ file: "tocsin.yaml", text }, z.object({ receivers: ExtraReceivers }));
  const base = `global: ${global}\nroute: {receiver: team}\nreceivers: [{name: team}]\n`;
  const config = joinExtraReceivers(parseRouterConfig("/etc/am/alertmanager.yml", base, { integrations }), receivers);
  const [first] = config.receivers[0]?.integrations ?? [];
  if (!first) throw new Error("no integration in the block");
  return first.integration.create(first.config, {
    clock: new ManualClock(START),
    logger: silentLogger,
    templates: templates(),
    userAgent: "Alertmanager/0.34.0",
  });
}
