// Runs the stages of deploy/Dockerfile in folders of their own, without Docker, then starts the last one read-only, as the
// image's user when this is root, and waits for /-/ready.
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { parseDockerfile, type Instruction, type Stage } from "./dockerfile.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const READY_WITHIN_MS = 60_000;
/** As docker-compose.yml starts them. */
const SAMPLES = ["api", "sms", "rate-limiter"];
const SAMPLE_ENTRYPOINT = ["node", "--import", "@tocsin/sdk/register", "dist/main.js"];

interface Built {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: Readonly<Partial<Record<"entrypoint" | "cmd" | "healthcheck", readonly string[]>>>;
  readonly user: string | undefined;
}

const folder = mkdtempSync(join(tmpdir(), "tocsin-image-"));
// Others must get in: the last stage does not run as root.
chmodSync(folder, 0o755);
const keep = process.argv.includes("--keep");
try {
  const context = exportContext(join(folder, "context"));
  const built = new Map<string, Built>();
  const stages = parseDockerfile(readFileSync(join(context, "deploy/Dockerfile"), "utf8"));
  for (const stage of stages) built.set(stage.name, buildStage(stage, context, built));
  const last = built.get(stages.at(-1)?.name ?? "");
  if (last === undefined) throw new Error("the Dockerfile has no stage");
  await startUntilReady(last);
  console.log("the image's stages run, and what they make is ready");
} finally {
  if (keep) console.log(`kept ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

/** What `docker build` would send: the files that git knows or would take, as they are now. */
function exportContext(target: string): string {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  }).split("\0");
  for (const file of files) {
    if (file === "" || !existsSync(join(REPOSITORY, file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(REPOSITORY, file), join(target, file));
  }
  return target;
}

function buildStage(stage: Stage, context: string, built: ReadonlyMap<string, Built>): Built {
  const base = built.get(stage.base);
  const root = join(folder, stage.name);
  if (base === undefined) mkdirSync(root, { recursive: true });
  else cpSync(base.root, root, { recursive: true, verbatimSymlinks: true });
  let state: Built = { root, workdir: base?.workdir ?? "/", env: base?.env ?? {}, argv: {}, user: undefined };
  for (const instruction of stage.instructions) state = apply(instruction, state, context, built);
  return state;
}

function apply(instruction: Instruction, state: Built, context: string, built: ReadonlyMap<string, Built>): Built {
  const inside = (path: string) =>
    path.startsWith("/") ? join(state.root, path) : join(state.root, state.workdir, path);
  switch (instruction.kind) {
    case "workdir":
      mkdirSync(inside(instruction.path), { recursive: true });
      return { ...state, workdir: instruction.path };
    case "copy": {
      const from = instruction.from === undefined ? context : built.get(instruction.from)?.root;
      if (from === undefined) throw new Error(`there is no stage ${instruction.from ?? ""}`);
      for (const source of instruction.sources)
        copy(join(from, source), inside(instruction.target), instruction.target);
      return state;
    }
    case "run":
      run(instruction.command, state);
      return state;
    case "env":
      return { ...state, env: { ...state.env, ...instruction.values } };
    case "user":
      return { ...state, user: instruction.user };
    case "entrypoint":
    case "cmd":
    case "healthcheck":
      return { ...state, argv: { ...state.argv, [instruction.kind]: instruction.argv } };
    case "noted":
      return state;
  }
}

/** A folder's contents go into the target; a file goes into it when its name ends in a slash. */
function copy(source: string, target: string, written: string): void {
  const isFolder = statSync(source).isDirectory();
  const place = !isFolder && (written.endsWith("/") || written === ".") ? join(target, basename(source)) : target;
  mkdirSync(dirname(place), { recursive: true });
  cpSync(source, place, { recursive: true, verbatimSymlinks: true });
}

/** Paths of the image lie below the stage's folder here. */
function run(command: string, { root, workdir, env }: Built): void {
  const here = command.replaceAll(/(?<=\s)\/(?=var\/lib\/tocsin)/g, `${root}/`);
  console.log(`RUN ${command}`);
  execFileSync("/bin/sh", ["-euc", process.getuid?.() === 0 ? here : here.replace(/ && chown .*$/, "")], {
    cwd: join(root, workdir),
    // With this machine's settings for registries and proxies.
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** Starts the image's own command, asks it what people and orchestrators ask, then starts the samples as compose does. */
async function startUntilReady({ root, workdir, env, argv, user }: Built): Promise<void> {
  const [port = 0, http = 0, grpc = 0, alertmanager = 0] = await Promise.all([1, 2, 3, 4].map(freePort));
  const app = join(root, workdir);
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const [uid = 0, gid = 0] = (user ?? "0:0").split(":").map(Number);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(temporary, uid, gid);
  const common = {
    PATH: process.env["PATH"],
    ...env,
    TOCSIN_DATA_DIR: join(root, env["TOCSIN_DATA_DIR"] ?? "/var/lib/tocsin"),
    NODE_COMPILE_CACHE: join(temporary, "compile-cache"),
    TMPDIR: temporary,
    TOCSIN_PORT: String(port),
    TOCSIN_OTLP_HTTP_PORT: String(http),
    TOCSIN_OTLP_GRPC_PORT: String(grpc),
    TOCSIN_ALERTMANAGER_PORT: String(alertmanager),
  };
  const here = (word: string) => (word.startsWith(`${workdir}/`) ? join(root, word) : word);
  const asUser = isRoot ? { uid, gid } : {};
  execFileSync("chmod", ["-R", "a-w", app]);
  try {
    const started = { ...asUser, cwd: app, env: common };
    await serving(
      [...(argv.entrypoint ?? []), ...(argv.cmd ?? [])].map(here),
      started,
      `http://127.0.0.1:${port}/-/ready`,
      async () => {
        const [check = "", ...rest] = (argv.healthcheck ?? []).map(here);
        execFileSync(check, rest, { ...started, stdio: "inherit" });
        const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: "text/html" } });
        if (!(await page.text()).includes('id="root"')) throw new Error("the dashboard's page is not in the image");
      },
    );
    for (const sample of SAMPLES) {
      const own = await freePort();
      const options = { ...asUser, cwd: join(app, "sample-apps", sample), env: { ...common, PORT: String(own) } };
      await serving([...SAMPLE_ENTRYPOINT], options, `http://127.0.0.1:${own}/healthz`, async () => {});
    }
  } finally {
    execFileSync("chmod", ["-R", "u+w", app]);
  }
}

/** Runs a command until it has answered at `url` and `ask` is done with it. */
async function serving(
  argv: readonly string[],
  options: SpawnOptions,
  url: string,
  ask: () => Promise<void>,
): Promise<void> {
  const [command = "", ...args] = argv;
  console.log(`START ${argv.join(" ")} in ${String(options.cwd)}`);
  const child = spawn(command, args, { ...options, stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    await awaitReady(child, url);
    await ask();
  } finally {
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  }
}

async function awaitReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was ready`);
    const ready = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    if (performance.now() > deadline) throw new Error(`not ready within ${READY_WITHIN_MS} ms: ${url}`);
    await pause(200);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
