import { ConsulRegistry } from "./consul.ts";
import { EtcdRegistry } from "./etcd.ts";

/** One process of a service, as others find it. */
export interface Instance {
  service: string;
  /** Differs between all instances of all services. */
  id: string;
  host: string;
  port: number;
}

/** Where services say that they are there. Every method makes one attempt and throws an Error when it fails. */
export interface Registry {
  /** Registers the instance, or sees to it that it still is. To be called every few seconds. */
  announce(instance: Instance): Promise<void>;
  /** Takes the instance out at once. */
  withdraw(instance: Instance): Promise<void>;
  /** Addresses of the instances of a service that are well, `host:port`, sorted. */
  addresses(service: string): Promise<string[]>;
}

/** What a registry's URL says. */
export interface RegistryUrl {
  /** `http://host:port` of each server. */
  servers: string[];
  username: string | undefined;
  password: string | undefined;
  /** Without the leading slash. */
  path: string;
}

export type Fetch = typeof fetch;

const URL_FORMAT = /^(etcd|consul)(\+https)?:\/\/(?:([^@/]*)@)?([^@/]+)(?:\/(.*))?$/;

/**
 * The registry that `etcd://[user:password@]host:port[,host:port…][/prefix]` or `consul://[:token@]host:port` names;
 * `etcd+https` and `consul+https` speak TLS. Throws an Error for anything else.
 */
export function openRegistry(text: string, request: Fetch = fetch): Registry {
  const [, kind, tls, credentials, hosts, path] = URL_FORMAT.exec(text) ?? [];
  if (hosts === undefined) throw new Error("a registry is etcd://host:port/prefix or consul://host:port");
  const [username, password] = (credentials ?? "").split(":").map(decodeURIComponent);
  const url: RegistryUrl = {
    servers: hosts.split(",").map((host) => `${tls === undefined ? "http" : "https"}://${host}`),
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
    path: path ?? "",
  };
  return kind === "etcd" ? new EtcdRegistry(url, request) : new ConsulRegistry(url, request);
}
