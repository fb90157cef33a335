import { readFile } from "node:fs/promises";
import { SecretString } from "@tocsin/platform";
import { z } from "zod";

export const BasicAuth = z
  .strictObject({
    username: z.string().default(""),
    username_file: z.string().optional(),
    password: SecretString.optional(),
    password_file: z.string().optional(),
  })
  .refine(
    ({ password, password_file }) => !password || password_file === undefined,
    "at most one of password and password_file",
  );

export const Authorization = z
  .strictObject({
    type: z.string().default("Bearer"),
    credentials: SecretString.optional(),
    credentials_file: z.string().optional(),
  })
  .refine(({ type }) => type.toLowerCase() !== "basic", "for type Basic use basic_auth")
  .refine(
    (auth) => !auth.credentials || auth.credentials_file === undefined,
    "at most one of credentials and credentials_file",
  );

export interface Credentials {
  basic_auth?: z.output<typeof BasicAuth> | undefined;
  authorization?: z.output<typeof Authorization> | undefined;
}

/** A refinement of every object that may have both. */
export const oneKindOfCredentials: [(config: Credentials) => boolean, string] = [
  (config) => !config.basic_auth || !config.authorization,
  "at most one of basic_auth and authorization",
];

/** The authorization header, if any. Secrets in files are read each time, so that they can be rotated. */
export async function credentialHeaders(config: Credentials): Promise<Record<string, string>> {
  const { basic_auth: basic, authorization } = config;
  if (basic) {
    const user = basic.username_file === undefined ? basic.username : await readSecret(basic.username_file);
    const password =
      basic.password_file === undefined ? (basic.password?.reveal() ?? "") : await readSecret(basic.password_file);
    return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  }
  if (!authorization) return {};
  const { type, credentials: secret, credentials_file: file } = authorization;
  return { authorization: `${type} ${file === undefined ? (secret?.reveal() ?? "") : await readSecret(file)}` };
}

async function readSecret(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trim();
}
