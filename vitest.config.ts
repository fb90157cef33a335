import { defineConfig } from "vitest/config";

const source = { conditions: ["@tocsin/source"] };
const project = (name: string, include: string[], testTimeout: number, extra: object = {}) => ({
  resolve: source,
  ssr: { resolve: source },
  test: {
    name,
    include,
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout,
    hookTimeout: testTimeout,
    pool: "forks" as const,
    execArgv: ["--conditions=@tocsin/source"],
    ...extra,
  },
});

/**
 * Suites of real processes, servers and a browser. They assert seconds of wall time, which a shared machine may take from
 * them once; on CI such a test gets a second chance, and vitest's report says that it took it.
 */
const processes = { fileParallelism: false, retry: process.env["CI"] ? 1 : 0 };

export default defineConfig({
  test: {
    projects: [
      project("unit", ["**/src/**/*.test.{ts,tsx}"], 20_000),
      project("integration", ["*/test/**/*.test.ts"], 120_000, processes),
      project("conformance", ["*/conformance/**/*.test.ts"], 300_000),
      project("stack", ["e2e/stack/**/*.test.ts"], 600_000, processes),
      project("e2e", ["e2e/browser/**/*.test.ts"], 300_000, processes),
    ],
  },
});
