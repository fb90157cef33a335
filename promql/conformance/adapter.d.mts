import type { EngineOptions } from "@tocsin/promql";

export const EXPERIMENTAL: Omit<EngineOptions, "now">;
export function createAdapter(options?: Omit<EngineOptions, "now">): object;
export default function adapter(): object;
