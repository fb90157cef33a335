import { watch, type FSWatcher } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseConfig, DurationMs, errorMessage, every } from "@tocsin/platform";
import { z } from "zod";
import { TargetGroups, type TargetGroup } from "../../target-group.ts";
import { defineDiscovery, type Discovery, type DiscoveryDeps } from "../discovery.ts";

const FileSdConfig = z.strictObject({
  files: z
    .array(
      z
        .string()
        .regex(
          /^[^*]*(\*[^/*]*)?\.(json|yml|yaml)$/,
          "ends in .json, .yml or .yaml and may have one * in its last part",
        ),
    )
    .min(1)
    .describe("files with target groups, watched for changes"),
  refresh_interval: DurationMs.prefault("5m").describe("how often they are read even without a change"),
});
type FileSdConfig = z.output<typeof FileSdConfig>;

export const file = defineDiscovery({
  name: "file",
  config: FileSdConfig,
  create: (config, deps) => new FileDiscovery(config, deps),
});

/** An editor writes a file in several steps; reading waits until they are over. */
const SETTLE_MS = 100;

/**
 * Target groups from files in JSON or YAML, read at the start, when their folder changes, and at every refresh. A file
 * that cannot be read keeps the groups it had; one that is gone loses them.
 */
class FileDiscovery implements Discovery {
  readonly #config: FileSdConfig;
  readonly #deps: DiscoveryDeps;
  readonly #groups = new Map<string, readonly TargetGroup[]>();
  readonly #watchers: FSWatcher[] = [];
  readonly #broken = new Set<string>();
  #refresh: Disposable | undefined;
  #pending: Disposable | undefined;
  #stopped = false;

  constructor(config: FileSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { files, refresh_interval: refreshMs } = this.#config;
    const { clock, logger } = this.#deps;
    await this.#readAll();
    for (const folder of new Set(files.map((file) => dirname(resolve(file))))) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#soon());
        watcher.on("error", (err) => logger.warn({ err, folder }, "folder is not watched any more"));
        this.#watchers.push(watcher);
      } catch (err) {
        logger.warn({ err, folder }, "folder cannot be watched, its files are read at every refresh only");
      }
    }
    if (refreshMs > 0) this.#refresh = every(clock, refreshMs, () => this.#readAll(), this.#onError);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#refresh?.[Symbol.dispose]();
    this.#pending?.[Symbol.dispose]();
    for (const watcher of this.#watchers) watcher.close();
  }

  readonly #onError = (err: unknown): void => {
    this.#deps.logger.error({ err }, "target files cannot be read");
  };

  #soon(): void {
    this.#pending?.[Symbol.dispose]();
    if (this.#stopped) return;
    this.#pending = this.#deps.clock.schedule(SETTLE_MS, () => void this.#readAll().catch(this.#onError));
  }

  async #readAll(): Promise<void> {
    const files = (await Promise.all(this.#config.files.map(expand))).flat();
    for (const file of this.#groups.keys()) if (!files.includes(file)) this.#groups.delete(file);
    for (const file of files) await this.#read(file);
    if (!this.#stopped) this.#deps.onChange([...this.#groups.values()].flat());
  }

  async #read(file: string): Promise<void> {
    try {
      // JSON is YAML, so one parser reads both and says where a mistake is.
      const groups = parseConfig({ file, text: await readFile(file, "utf8") }, TargetGroups);
      this.#groups.set(
        file,
        groups.map((group) => ({ ...group, labels: { ...group.labels, __meta_filepath: file } })),
      );
      if (this.#broken.delete(file)) this.#deps.logger.info({ file }, "target file can be read again");
    } catch (error) {
      if (!this.#broken.has(file))
        this.#deps.logger.warn({ file, error: errorMessage(error) }, "target file cannot be read");
      this.#broken.add(file);
    }
  }
}

/** The files of a path whose last part may have `*` in it. */
async function expand(path: string): Promise<string[]> {
  const name = basename(path);
  const folder = dirname(path);
  const [head = name, tail = ""] = name.split("*");
  const matches = (candidate: string) =>
    name.includes("*")
      ? candidate.length >= head.length + tail.length && candidate.startsWith(head) && candidate.endsWith(tail)
      : candidate === name;
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names
    .filter(matches)
    .sort()
    .map((candidate) => join(folder, candidate));
}
