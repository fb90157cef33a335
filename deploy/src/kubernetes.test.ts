import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TocsinConfig } from "@tocsin/cli";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

const FOLDER = join(import.meta.dirname, "../kubernetes");
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

type Labels = Record<string, string>;

interface Container {
  name: string;
  image: string;
  args: string[];
  ports: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  resources?: { requests?: object; limits?: object };
  securityContext?: object;
  volumeMounts: { name: string }[];
}

interface Probe {
  httpGet: { path: string; port: string };
}

interface PodSpec {
  automountServiceAccountToken?: boolean;
  securityContext?: object;
  containers: [Container];
  volumes: { name: string }[];
}

interface Resource {
  kind: string;
  metadata: { name: string };
  spec: {
    replicas?: number;
    selector?: Labels & { matchLabels?: Labels };
    template?: { metadata: { labels: Labels }; spec: PodSpec };
    volumeClaimTemplates?: { metadata: { name: string } }[];
    ports?: { port: number; targetPort: string }[];
    scaleTargetRef?: { kind: string; name: string };
    minReplicas?: number;
    podSelector?: { matchLabels?: Labels };
    policyTypes?: string[];
    rules?: { http: { paths: { backend: { service: { name: string } } }[] } }[];
  };
}

const kustomization = parse(read("kustomization.yaml")) as {
  resources: string[];
  configMapGenerator: { files: string[] }[];
};
const resources = kustomization.resources.flatMap((name) =>
  parseAllDocuments(read(name)).map((document) => document.toJS() as Resource),
);
const ofKind = (kind: string) => resources.filter((each) => each.kind === kind);
const workloads = [...ofKind("Deployment"), ...ofKind("StatefulSet")].map(({ kind, metadata, spec }) => ({
  kind,
  name: metadata.name,
  spec,
  pod: spec.template!.spec,
  labels: spec.template!.metadata.labels,
}));
const selects = (selector: Labels, labels: Labels) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

test("has a workload for each role, and runs that role", () => {
  expect(Object.fromEntries(workloads.map(({ name, pod }) => [name, pod.containers[0].args[0]]))).toEqual({
    "tocsin-alertmanager": "alertmanager",
    "tocsin-collector": "collector",
    "tocsin-dashboard": "dashboard",
    "tocsin-rules": "rules",
    "tocsin-writer": "writer",
  });
});

describe.each(workloads)("$name", ({ kind, name, spec, pod, labels }) => {
  const [container] = pod.containers;

  test("is what its selector selects", () => {
    expect(selects(spec.selector?.matchLabels ?? { none: "" }, labels)).toBe(true);
  });

  test("runs without privileges on a file system that it cannot write", () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("is asked whether it is ready and healthy, at a port that it has", () => {
    const port = container.ports.find((each) => each.name === "http")?.containerPort;
    expect(port).toBe(name === "tocsin-alertmanager" ? 9093 : 9400);
    expect(container.startupProbe?.httpGet).toEqual({ path: "/-/ready", port: "http" });
    expect(container.readinessProbe?.httpGet).toEqual({ path: "/-/ready", port: "http" });
    expect(container.livenessProbe?.httpGet).toEqual({ path: "/-/healthy", port: "http" });
  });

  test("says what it needs and what it may have", () => {
    for (const part of [container.resources?.requests, container.resources?.limits]) {
      expect(Object.keys(part ?? {}).sort()).toEqual(["cpu", "memory"]);
    }
  });

  test("mounts volumes that it has", () => {
    const claimed = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
    const known = [...pod.volumes.map((volume) => volume.name), ...claimed];
    expect(container.volumeMounts.map((mount) => mount.name).filter((mount) => !known.includes(mount))).toEqual([]);
    expect(claimed).toEqual(kind === "StatefulSet" ? ["data"] : []);
  });

  test("has a network policy of its own, both ways", () => {
    const policies = ofKind("NetworkPolicy").filter(
      ({ spec: policy }) => policy.podSelector?.matchLabels && selects(policy.podSelector.matchLabels, labels),
    );
    expect(policies.map((policy) => [policy.metadata.name, policy.spec.policyTypes])).toEqual([
      [name, ["Ingress", "Egress"]],
    ]);
  });

  test("leaves the number of replicas to its autoscaler, when it has one", () => {
    const scaled = ofKind("HorizontalPodAutoscaler").some((each) => each.spec.scaleTargetRef?.name === name);
    expect(spec.replicas).toBe(scaled ? undefined : 1);
  });
});

test("what is not allowed is refused", () => {
  const all = ofKind("NetworkPolicy").filter(({ spec }) => spec.podSelector?.matchLabels === undefined);
  expect(all.map(({ metadata, spec }) => [metadata.name, spec.policyTypes])).toEqual([
    ["tocsin-default-deny", ["Ingress", "Egress"]],
  ]);
});

test("services, budgets and autoscalers point at something", () => {
  for (const { metadata, spec } of ofKind("Service")) {
    const behind = workloads.find(({ labels }) => selects(spec.selector as Labels, labels));
    const ports = behind?.pod.containers[0].ports ?? [];
    for (const { port, targetPort } of spec.ports ?? []) {
      expect(ports, metadata.name).toContainEqual({ name: targetPort, containerPort: port });
    }
  }
  for (const { metadata, spec } of ofKind("PodDisruptionBudget")) {
    expect(
      workloads.some(({ labels }) => selects(spec.selector?.matchLabels ?? { none: "" }, labels)),
      metadata.name,
    ).toBe(true);
  }
  for (const { spec } of ofKind("HorizontalPodAutoscaler")) {
    expect(spec.minReplicas).toBe(2);
    const { kind, name } = spec.scaleTargetRef ?? {};
    expect(
      workloads.some((workload) => workload.kind === kind && workload.name === name),
      name,
    ).toBe(true);
  }
  const [ingress] = ofKind("Ingress");
  const behind = ingress?.spec.rules?.flatMap(({ http }) => http.paths.map(({ backend }) => backend.service.name));
  expect(behind).toEqual(["tocsin-dashboard"]);
});

test("tocsin.yaml of the roles is valid", () => {
  const text = read("tocsin.yaml").replaceAll(/\$\{\w+\}/g, "given");
  const { bus, peers } = TocsinConfig.parse(parse(text));
  expect(bus.driver).toBe("kafka");
  for (const url of [peers.collector, peers.rules, ...peers.alertmanagers]) {
    const { hostname, port } = new URL(url);
    const service = ofKind("Service").find(({ metadata }) => metadata.name === hostname);
    expect(service?.spec.ports).toContainEqual(expect.objectContaining({ port: Number(port) }));
  }
});

test("every file is part of the whole", () => {
  expect(kustomization.configMapGenerator.flatMap(({ files }) => files)).toEqual(["tocsin.yaml", "alertmanager.yml"]);
  expect(resources.length).toBe(25);
});
