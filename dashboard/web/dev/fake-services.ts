import type { ServiceDetail, ServiceGraph, ServiceSummary } from "@tocsin/model";
import { seeded, seedOf } from "./random.ts";

interface Profile {
  name: string;
  version: string;
  rate: number;
  errorRatio: number;
  p50: number;
  p95: number;
  p99: number;
  state: ServiceSummary["state"];
  operations: string[];
}

const PROFILES: readonly Profile[] = [
  {
    name: "sms",
    version: "1.4.2",
    rate: 3.8,
    errorRatio: 0.121,
    p50: 180,
    p95: 2410,
    p99: 3120,
    state: "degraded",
    operations: ["POST /messages", "GET /messages/:id", "POST /codes"],
  },
  {
    name: "api",
    version: "2.0.0",
    rate: 21.4,
    errorRatio: 0.041,
    p50: 22,
    p95: 141,
    p99: 890,
    state: "healthy",
    operations: ["POST /login", "POST /orders", "GET /orders/:id", "GET /catalog", "__unmatched__"],
  },
  {
    name: "rate-limiter",
    version: "0.9.1",
    rate: 24.9,
    errorRatio: 0,
    p50: 0.84,
    p95: 2.2,
    p99: 6.4,
    state: "healthy",
    operations: ["POST /take", "GET /buckets/:key"],
  },
  {
    name: "mailer",
    version: "0.2.0",
    rate: 0.05,
    errorRatio: 0,
    p50: 45,
    p95: 88,
    p99: 90,
    state: "silent",
    operations: ["POST /mails"],
  },
];

export const SERVICE_NAMES = PROFILES.map(({ name }) => name);

export function services(now: number, fromMs: number, toMs: number): ServiceSummary[] {
  return PROFILES.map((profile) => summary(profile, now, fromMs, toMs));
}

export function service(name: string, now: number, fromMs: number, toMs: number): ServiceDetail | undefined {
  const profile = PROFILES.find((each) => each.name === name);
  if (profile === undefined) return undefined;
  const random = seeded(seedOf(name));
  return {
    ...summary(profile, now, fromMs, toMs),
    red: red(profile, fromMs, toMs),
    operations: profile.operations.map((operation, index) => ({
      name: operation,
      rate: (profile.rate / profile.operations.length) * (1.6 - index * 0.25),
      errorRatio: profile.errorRatio * random() * 2,
      p50Ms: profile.p50 * (0.6 + random()),
      p95Ms: profile.p95 * (0.6 + random() * 0.5),
      p99Ms: profile.p99 * (0.6 + random() * 0.5),
    })),
  };
}

function summary(profile: Profile, now: number, fromMs: number, toMs: number): ServiceSummary {
  return {
    name: profile.name,
    version: profile.version,
    rate: profile.rate,
    errorRatio: profile.errorRatio,
    p50Ms: profile.p50,
    p95Ms: profile.p95,
    p99Ms: profile.p99,
    lastSeen: new Date(now - (profile.state === "silent" ? 140_000 : 2100)).toISOString(),
    state: profile.state,
    sparkline: red(profile, fromMs, toMs, 40).map(({ rate }) => rate),
  };
}

function red(profile: Profile, fromMs: number, toMs: number, points = 90) {
  const random = seeded(seedOf(profile.name));
  const step = (toMs - fromMs) / points;
  return Array.from({ length: points }, (_, index) => {
    const wave = 1 + 0.25 * Math.sin(index / 9) + (random() - 0.5) * 0.2;
    const broken = profile.errorRatio > 0.1 && index > points * 0.72;
    return {
      timeMs: Math.round(fromMs + step * index),
      rate: profile.rate * wave,
      errorRatio: profile.errorRatio * (broken ? 3.2 : 0.15) * (0.8 + random() * 0.4),
      p50Ms: profile.p50 * wave * (broken ? 1.4 : 1),
      p95Ms: (broken ? profile.p95 : profile.p95 * (profile.errorRatio > 0.1 ? 0.14 : 0.9)) * (0.9 + random() * 0.2),
      p99Ms: (broken ? profile.p99 : profile.p99 * (profile.errorRatio > 0.1 ? 0.2 : 0.9)) * (0.9 + random() * 0.2),
    };
  });
}

export const graph: ServiceGraph = {
  nodes: [
    { name: "load", kind: "external", rate: 21.4, errorRatio: 0.041 },
    { name: "api", kind: "service", rate: 21.4, errorRatio: 0.041 },
    { name: "rate-limiter", kind: "service", rate: 24.9, errorRatio: 0 },
    { name: "sms", kind: "service", rate: 3.8, errorRatio: 0.121 },
    { name: "mailer", kind: "service", rate: 0.05, errorRatio: 0 },
    { name: "postgres", kind: "database", rate: 12.1, errorRatio: 0.001 },
    { name: "otlp_spans", kind: "queue", rate: 8.2, errorRatio: 0 },
    { name: "provider alpha", kind: "external", rate: 3.1, errorRatio: 0.82 },
    { name: "provider beta", kind: "external", rate: 2.6, errorRatio: 0.002 },
  ],
  edges: [
    { source: "load", target: "api", rate: 21.4, errorRatio: 0.041, p95Ms: 141 },
    { source: "api", target: "rate-limiter", rate: 21.4, errorRatio: 0, p95Ms: 2.4 },
    { source: "api", target: "sms", rate: 3.8, errorRatio: 0.121, p95Ms: 2460 },
    { source: "api", target: "postgres", rate: 12.1, errorRatio: 0.001, p95Ms: 9.2 },
    { source: "api", target: "otlp_spans", rate: 8.2, errorRatio: 0, p95Ms: 1.1 },
    { source: "sms", target: "provider alpha", rate: 3.1, errorRatio: 0.82, p95Ms: 2380 },
    { source: "sms", target: "provider beta", rate: 2.6, errorRatio: 0.002, p95Ms: 310 },
    { source: "sms", target: "rate-limiter", rate: 3.5, errorRatio: 0, p95Ms: 1.9 },
    { source: "sms", target: "mailer", rate: 0.05, errorRatio: 0, p95Ms: 88 },
  ],
};
