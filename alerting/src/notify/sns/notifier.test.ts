import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import type { Received } from "../../../test/http-sink.ts";
import { notifierOf } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { snsWith, type sns } from "./notifier.ts";
import { signedHeaders } from "./sigv4.ts";

const KEYS = "sigv4: {region: eu-west-1, access_key: AKID, secret_key: aws-secret-1}";
const snsBlock = (keys: string, env: Record<string, string> = {}) =>
  notifierOf(`sns_configs: [{${keys}}]`, { integrations: [snsWith(env) satisfies typeof sns] });
const topic = (url: string, keys = "topic_arn: 'arn:aws:sns:eu-west-1:1:ops'") =>
  snsBlock(`api_url: '${url}', ${KEYS}, ${keys}`);

httpNotifierContract("sns", (url) => topic(url), { secrets: ["aws-secret-1"] });

const scene = sinkScene();
const form = (i = 0) => Object.fromEntries(new URLSearchParams(scene.sink.received[i]?.body));

/** What AWS does: signs what it got with the secret it knows, and compares. */
function verifies(
  { headers, path, body }: Received,
  secretKey: string,
  service: string,
  sessionToken?: string,
): boolean {
  const url = `http://${headers.host}${path}`;
  const accessKey = /Credential=([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "";
  const again = signedHeaders(
    { url, headers: { "content-type": headers["content-type"] ?? "" }, body },
    { accessKey, secretKey, sessionToken },
    { region: "eu-west-1", service, at: START },
  );
  return again["authorization"] === headers.authorization;
}

test("a message is published to the topic, signed", async () => {
  await scene.notify(topic(scene.sink.url));
  const [received] = scene.sink.received;
  expect(form()).toEqual({
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: "arn:aws:sns:eu-west-1:1:ops",
    Subject: "[FIRING:1] High (page)",
    Message: expect.stringContaining(" - severity = page") as string,
  });
  expect(received?.headers.authorization).toContain("Credential=AKID/20261121/eu-west-1/sns/aws4_request");
  expect(received && verifies(received, "aws-secret-1", "sns")).toBe(true);
  expect(received && verifies(received, "another", "sns")).toBe(false);
});

test("a FIFO topic gets the group as its order and identity; attributes are templates", async () => {
  await scene.notify(topic(scene.sink.url, "topic_arn: 'arn:x.fifo', attributes: {status: '{{ .Status }}'}"));
  const hash = "f3d6947c9c15e6b3a6ec260804b8d597eb27cad181cfeb7ae7dfa22cc537fc3e";
  expect(form()).toMatchObject({
    MessageGroupId: hash,
    MessageDeduplicationId: hash,
    "MessageAttributes.entry.1.Name": "status",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": "firing",
  });
});

test("what is too long is cut without a mark and says so in an attribute", async () => {
  await scene.notify(topic(scene.sink.url, `phone_number: '+15550100', message: '${"é".repeat(900)}', subject: ''`));
  await scene.notify(topic(scene.sink.url, `target_arn: t, message: '${"x".repeat(300_000)}'`));
  expect(form()).toMatchObject({
    PhoneNumber: "+15550100",
    Message: "é".repeat(800),
    "MessageAttributes.entry.1.Name": "truncated",
    "MessageAttributes.entry.1.Value.StringValue": "true",
  });
  expect(form()).not.toHaveProperty("Subject");
  expect(form(1)["Message"]).toHaveLength(262_144);
});

describe("credentials", () => {
  const keys = (sigv4 = "") => `api_url: '${scene.sink.url}', topic_arn: t, sigv4: {region: eu-west-1, ${sigv4}}`;

  test("come from the environment", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKENV", AWS_SECRET_ACCESS_KEY: "env-secret", AWS_SESSION_TOKEN: "env-token" };
    await scene.notify(snsBlock(keys(), env));
    const [received] = scene.sink.received;
    expect(received?.headers["x-amz-security-token"]).toBe("env-token");
    expect(received && verifies(received, "env-secret", "sns", "env-token")).toBe(true);
  });

  test("come from a profile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aws-"));
    const file = join(folder, "credentials");
    writeFileSync(
      file,
      "[default]\naws_access_key_id = no\n\n[ops]\naws_access_key_id = AKPRO\naws_secret_access_key=pro-secret\n",
    );
    await scene.notify(snsBlock(keys("profile: ops"), { AWS_SHARED_CREDENTIALS_FILE: file }));
    rmSync(folder, { recursive: true });
    const [received] = scene.sink.received;
    expect(received && verifies(received, "pro-secret", "sns")).toBe(true);
  });

  test("of an assumed role are asked for once, with the external id", async () => {
    scene.sink.answer = (response, { path }) =>
      response.end(
        path === "/sts"
          ? "<Credentials><AccessKeyId>AKROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken></Credentials>"
          : "",
      );
    const notifier = snsBlock(
      keys("access_key: AKID, secret_key: aws-secret-1, role_arn: 'arn:role', external_id: ext"),
      {
        AWS_ENDPOINT_URL_STS: `${scene.sink.url}/sts`,
      },
    );
    await scene.notify(notifier);
    await scene.notify(notifier);
    const [sts, publish] = scene.sink.received;
    expect(scene.sink.received.map(({ path }) => path)).toEqual(["/sts", "/", "/"]);
    expect(form()).toMatchObject({ Action: "AssumeRole", RoleArn: "arn:role", ExternalId: "ext" });
    expect(sts && verifies(sts, "aws-secret-1", "sts")).toBe(true);
    expect(publish && verifies(publish, "role-secret", "sns", "role-token")).toBe(true);
  });

  test("that are nowhere are said to be missing", async () => {
    expect(await scene.notify(snsBlock(keys(), { AWS_SHARED_CREDENTIALS_FILE: "/nowhere" }))).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/^no AWS credentials/) as string,
    });
  });
});

test.each([
  ["{}", "must provide either a Target ARN, Topic ARN, or Phone Number"],
  ["{topic_arn: a, phone_number: b}", "must provide either"],
  ["{topic_arn: a, sigv4: {access_key: x}}", "access_key and secret_key need each other"],
  ["{topic_arn: a, sigv4: {external_id: x}}", "external_id needs role_arn"],
])("%s is refused", (block, message) => expect(() => notifierOf(`sns_configs: [${block}]`)).toThrow(message));
