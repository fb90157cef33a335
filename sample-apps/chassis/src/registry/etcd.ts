import { z } from "zod";
import type { Fetch, Instance, Registry, RegistryUrl } from "./registry.ts";
import { ask } from "./request.ts";

/** An instance that does not renew its lease for so long is gone. */
const LEASE_S = 10;
const DEFAULT_PREFIX = "tocsin/services/";

const Granted = z.object({ ID: z.string() });
const Renewed = z.object({ result: z.object({ TTL: z.string().optional() }) });
const Range = z.object({ kvs: z.array(z.object({ value: z.string() })).default([]) });
const Value = z.object({ address: z.string() });
const Token = z.object({ token: z.string() });

const encode = (text: string) => Buffer.from(text).toString("base64");

/** Keys `/<prefix><service>/<id>` under a lease, over the HTTP/JSON gateway of etcd's v3 API. */
export class EtcdRegistry implements Registry {
  readonly #url: RegistryUrl;
  readonly #request: Fetch;
  readonly #prefix: string;
  #turn = 0;
  #token: string | undefined;
  #lease: string | undefined;

  constructor(url: RegistryUrl, request: Fetch) {
    this.#url = url;
    this.#request = request;
    const path = url.path === "" ? DEFAULT_PREFIX : url.path;
    this.#prefix = `/${path.endsWith("/") ? path : `${path}/`}`;
  }

  async announce(instance: Instance): Promise<void> {
    if (this.#lease !== undefined && (await this.#renew(this.#lease))) return;
    this.#lease = undefined;
    const lease = Granted.parse(await this.#post("/v3/lease/grant", { TTL: String(LEASE_S) })).ID;
    const value = JSON.stringify({ address: `${instance.host}:${instance.port}` });
    await this.#post("/v3/kv/put", { key: encode(this.#key(instance)), value: encode(value), lease });
    this.#lease = lease;
  }

  async withdraw(instance: Instance): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) await this.#post("/v3/kv/deleterange", { key: encode(this.#key(instance)) });
    else await this.#post("/v3/lease/revoke", { ID: lease });
  }

  async addresses(service: string): Promise<string[]> {
    const from = `${this.#prefix}${service}/`;
    // "0" is the character after "/": everything below the folder.
    const range = { key: encode(from), range_end: encode(`${from.slice(0, -1)}0`) };
    const { kvs } = Range.parse(await this.#post("/v3/kv/range", range));
    return kvs.map(({ value }) => Value.parse(JSON.parse(Buffer.from(value, "base64").toString())).address).sort();
  }

  #key({ service, id }: Instance): string {
    return `${this.#prefix}${service}/${id}`;
  }

  /** False when the lease has ended: etcd then answers without a TTL. */
  async #renew(lease: string): Promise<boolean> {
    const { result } = Renewed.parse(await this.#post("/v3/lease/keepalive", { ID: lease }));
    return Number(result.TTL ?? "0") > 0;
  }

  async #post(path: string, body: object): Promise<unknown> {
    const { servers, username } = this.#url;
    const server = servers[this.#turn % servers.length] ?? "";
    try {
      if (username !== undefined) this.#token ??= await this.#authenticate(server, username);
      const headers = this.#token === undefined ? {} : { authorization: this.#token };
      return (await ask(this.#request, server + path, { method: "POST", headers, body: JSON.stringify(body) })).body;
    } catch (error) {
      // The next attempt is at the next server, with a new token: the old one may have ended.
      this.#turn += 1;
      this.#token = undefined;
      throw error;
    }
  }

  async #authenticate(server: string, name: string): Promise<string> {
    const body = JSON.stringify({ name, password: this.#url.password ?? "" });
    return Token.parse((await ask(this.#request, `${server}/v3/auth/authenticate`, { method: "POST", body })).body)
      .token;
  }
}
