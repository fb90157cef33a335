import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { httpOutcome } from "../http/http-client.ts";
import type { HttpCall } from "../http/http-notifier.ts";
import type { NotifyResult } from "../integration.ts";
import type { SnsConfig } from "./config.ts";
import { signedHeaders, type AwsCredentials } from "./sigv4.ts";

type Sigv4 = SnsConfig["sigv4"];
export type Environment = Readonly<Record<string, string | undefined>>;

/** Assumed roles last an hour; a new one is asked for before the old one ends. */
const ROLE_SECONDS = 3600;
const RENEW_EARLIER_MS = 5 * 60_000;

/**
 * Finds credentials where AWS' own tools do: in the block, in the environment, in a profile of the shared credentials
 * file; then assumes the role, if one is wanted. Credentials of the machine (EC2, ECS, EKS) are not asked for.
 */
export class AwsCredentialSource {
  readonly #config: Sigv4;
  readonly #env: Environment;
  #role: { credentials: AwsCredentials; until: number } | undefined;

  constructor(config: Sigv4, env: Environment) {
    this.#config = config;
    this.#env = env;
  }

  get region(): string {
    const region = this.#config.region || this.#env["AWS_REGION"] || this.#env["AWS_DEFAULT_REGION"];
    if (!region) throw new Error("no region: set sigv4.region or AWS_REGION");
    return region;
  }

  /** Credentials, or what the security token service said instead. */
  async get(call: HttpCall): Promise<AwsCredentials | NotifyResult> {
    const now = call.deps.clock.now();
    if (this.#role && now < this.#role.until) return this.#role.credentials;
    const own = await this.#own();
    call.hidden.push(own.secretKey, own.sessionToken ?? "");
    if (!this.#config.role_arn) return own;
    const assumed = await this.#assumeRole(this.#config.role_arn, own, call);
    if ("status" in assumed) return assumed;
    this.#role = { credentials: assumed, until: now + ROLE_SECONDS * 1000 - RENEW_EARLIER_MS };
    call.hidden.push(assumed.secretKey, assumed.sessionToken ?? "");
    return assumed;
  }

  async #own(): Promise<AwsCredentials> {
    const { access_key, secret_key, profile } = this.#config;
    if (access_key && secret_key) return { accessKey: access_key, secretKey: secret_key.reveal() };
    const { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_SESSION_TOKEN } = this.#env;
    if (!profile && accessKey && secretKey) return { accessKey, secretKey, sessionToken: AWS_SESSION_TOKEN };
    const name = profile || this.#env["AWS_PROFILE"] || "default";
    const file = this.#env["AWS_SHARED_CREDENTIALS_FILE"] || join(homedir(), ".aws/credentials");
    const section = profileSection(await readFile(file, "utf8").catch(() => ""), name);
    const { aws_access_key_id, aws_secret_access_key, aws_session_token } = section;
    if (aws_access_key_id && aws_secret_access_key)
      return { accessKey: aws_access_key_id, secretKey: aws_secret_access_key, sessionToken: aws_session_token };
    throw new Error(
      `no AWS credentials: set sigv4.access_key and secret_key, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or profile ${name} in ${file}`,
    );
  }

  async #assumeRole(role: string, own: AwsCredentials, call: HttpCall): Promise<AwsCredentials | NotifyResult> {
    const { external_id, use_fips_sts_endpoint } = this.#config;
    const host = `${use_fips_sts_endpoint === true ? "sts-fips" : "sts"}.${this.region}.amazonaws.com`;
    const url = this.#env["AWS_ENDPOINT_URL_STS"] || `https://${host}/`;
    const body = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: role,
      RoleSessionName: `tocsin-${call.deps.clock.now()}`,
      DurationSeconds: String(ROLE_SECONDS),
      ...(external_id && { ExternalId: external_id }),
    }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const scope = { region: this.region, service: "sts", at: call.deps.clock.now() };
    const response = await call.send({ url, body, headers: signedHeaders({ url, headers, body }, own, scope) });
    const outcome = httpOutcome(response);
    if (outcome.status !== "sent") return { ...outcome, error: `cannot assume ${role}: ${outcome.error}` };
    const element = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(response.body)?.[1];
    const [accessKey, secretKey, sessionToken] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(element);
    if (accessKey && secretKey && sessionToken) return { accessKey, secretKey, sessionToken };
    return { status: "retry", reason: "other", error: `cannot assume ${role}: the answer has no credentials` };
  }
}

/** The keys of one section of an INI file. */
function profileSection(text: string, name: string): Record<string, string | undefined> {
  const keys: Record<string, string> = {};
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (header) inside = header[1] === name;
    const pair = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && pair) keys[pair[1] ?? ""] = pair[2] ?? "";
  }
  return keys;
}
