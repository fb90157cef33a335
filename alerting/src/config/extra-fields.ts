import { z } from "zod";
import { DurationMs, errorMessage, Secret, SecretString } from "@tocsin/platform";
import { checkUrl } from "./fields.ts";
import { HttpClientConfig } from "./http-client-config.ts";
import { toYamlTree } from "./yaml-tree.ts";

/** Keys of the receivers in `tocsin.yaml`, which is read by YAML 1.2's rules. */

const withUrl = <T>(make: (url: string) => T) =>
  z.string().transform((value, context) => {
    try {
      return make(checkUrl(value));
    } catch (error) {
      context.addIssue({ code: "custom", message: errorMessage(error) });
      return z.NEVER;
    }
  });

export const plainUrl = withUrl((url) => url);

export const plainSecretUrl = withUrl((url) => new Secret(url));

export const plainSecret = SecretString;

export const plainTemplate = (fallback: string, what: string) => z.string().default(fallback).describe(what);

/** What all of these receivers have. */
export const commonKeys = {
  send_resolved: z.boolean().default(true).describe("also tell of alerts that have ended"),
  timeout: DurationMs.optional().describe("how long one attempt may take, such as 10s"),
  http_config: z
    .unknown()
    .transform((value): unknown => toYamlTree(value))
    .pipe(HttpClientConfig)
    .optional()
    .describe("how to connect, as in alertmanager.yml, whose global http_config is the default"),
};

/** Where a robot listens: its URL, which is a secret, or a file that holds it. */
export const webhookKeys = {
  ...commonKeys,
  webhook_url: plainSecretUrl.optional().describe("the robot's address, with its key"),
  webhook_url_file: z.string().optional().describe("file with the robot's address, read at each notification"),
};
