import { afterEach, expect, test } from "vitest";
import { formatDuration } from "@tocsin/model";
import { openScene, START, type Scene, type Told } from "../test/scene.ts";

/**
 * Random schedules of alerts, silences, outages, reloads and restarts, held against what must always be true. A failing
 * seed is in the test's title; run it alone with TOCSIN_SIMULATION_SEED, and more of them with TOCSIN_SIMULATION_RUNS.
 */
const ONE_SEED = process.env["TOCSIN_SIMULATION_SEED"];
const RUNS = Number(process.env["TOCSIN_SIMULATION_RUNS"] ?? 40);
const SEEDS = ONE_SEED === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(ONE_SEED)];

const GROUP_WAIT = 30_000;
const GROUP_INTERVAL = 5 * 60_000;
const REPEAT_INTERVAL = 3_600_000;
const CONFIG = `
route:
  receiver: team
  group_by: [zone]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes: [{matchers: [alertname=~"Page.*"], receiver: pager}]
receivers: [{name: team, told_configs: [{}]}, {name: pager, told_configs: [{}]}]
inhibit_rules: [{source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"], equal: [zone]}]
`;
const NAMES = ["Down", "Slow", "Disk", "PageA", "PageB"];
const ZONES = ["a", "b"];
const HOURS = 8;

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.router.stop();
});

/** What the world knows of one alert, beside the router. */
interface Fact {
  readonly name: string;
  readonly zone: string;
  endsAt: number;
  state: string;
  /** Since when its state and its surroundings have not changed. */
  steadySince: number;
}

class World {
  readonly scene: Scene;
  readonly random: () => number;
  readonly facts: Fact[] = [];
  readonly silences: { id: string; name: string; startsAt: number; endsAt: number }[] = [];
  readonly journal: string[] = [];
  up = true;

  constructor(scene: Scene, random: () => number) {
    this.scene = scene;
    this.random = random;
    for (const name of NAMES)
      for (const zone of ZONES) this.facts.push({ name, zone, endsAt: 0, state: "", steadySince: START });
  }

  get now(): number {
    return this.scene.clock.now();
  }

  note(what: string): void {
    this.journal.push(`${formatDuration(this.now - START)} ${what}`);
  }

  firing(fact: Fact, at: number): boolean {
    return at < fact.endsAt;
  }

  muted(fact: Fact, at: number): boolean {
    const silenced = this.silences.some(
      ({ name, startsAt, endsAt }) => name === fact.name && startsAt <= at && at < endsAt,
    );
    const down = this.facts.find(({ name, zone }) => name === "Down" && zone === fact.zone);
    return silenced || (fact.name === "Slow" && down !== undefined && this.firing(down, at));
  }

  /** Begins the count anew for every alert whose state or surroundings changed. */
  observe(disturbed: boolean): void {
    for (const fact of this.facts) {
      const state = `${this.firing(fact, this.now)} ${this.muted(fact, this.now)}`;
      if (disturbed || state !== fact.state) fact.steadySince = this.now;
      fact.state = state;
    }
  }
}

const ACTIONS: ((world: World) => Promise<boolean>)[] = [
  fire,
  fire,
  fire,
  resolve,
  resolve,
  silence,
  expireSilence,
  async (world) => {
    world.up = !world.up;
    world.note(world.up ? "receivers up" : "receivers down");
    return true;
  },
  async (world) => {
    world.note("reload");
    await world.scene.reload(CONFIG);
    return false;
  },
  async (world) => {
    const crash = world.random() < 0.5;
    world.note(crash ? "crash" : "restart");
    await world.scene.restart({ crash });
    return false;
  },
];

async function fire(world: World): Promise<boolean> {
  const fact = pick(world, world.facts);
  const endsAt = world.now + Math.round((world.random() < 0.7 ? 10 * 3_600_000 : 900_000) * world.random()) + 1;
  // Of two ends that senders gave for overlapping reports, the later one counts.
  fact.endsAt = Math.max(fact.endsAt, endsAt);
  world.note(`fire ${fact.name} ${fact.zone} until ${formatDuration(endsAt - START)}`);
  await world.scene.fire(fact.name, { zone: fact.zone }, { endsAt: new Date(endsAt).toISOString() });
  return false;
}

async function resolve(world: World): Promise<boolean> {
  const firing = world.facts.filter((fact) => world.firing(fact, world.now));
  if (firing.length === 0) return false;
  const fact = pick(world, firing);
  fact.endsAt = world.now;
  world.note(`resolve ${fact.name} ${fact.zone}`);
  await world.scene.resolve(fact.name, { zone: fact.zone });
  return false;
}

async function silence(world: World): Promise<boolean> {
  const name = pick(world, NAMES);
  const startsAt = world.now + (world.random() < 0.5 ? 0 : Math.round(1_800_000 * world.random()));
  const endsAt = startsAt + 1 + Math.round(3_600_000 * world.random());
  const result = await world.scene.router.setSilence({
    matchers: [{ name: "alertname", type: "=", value: name }],
    startsAt,
    endsAt,
    createdBy: "sim",
    comment: "",
    annotations: {},
  });
  if (result.status !== "ok") throw new Error(JSON.stringify(result));
  world.silences.push({ id: result.silence.id, name, startsAt, endsAt });
  world.note(`silence ${name} from ${formatDuration(startsAt - START)} until ${formatDuration(endsAt - START)}`);
  return false;
}

async function expireSilence(world: World): Promise<boolean> {
  const open = world.silences.filter(({ endsAt }) => world.now < endsAt);
  if (open.length === 0) return false;
  const chosen = pick(world, open);
  chosen.startsAt = Math.min(chosen.startsAt, world.now);
  chosen.endsAt = world.now;
  world.note(`expire silence of ${chosen.name}`);
  await world.scene.router.expireSilence(chosen.id);
  return false;
}

function pick<T>(world: World, items: readonly T[]): T {
  const [item] = items.slice(Math.floor(world.random() * items.length));
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** The last thing that the receivers were told of an alert. */
function belief(told: readonly Told[], fact: Fact): "firing" | "resolved" | undefined {
  const has = ({ labels }: { labels: Readonly<Record<string, string>> }) =>
    labels["alertname"] === fact.name && labels["zone"] === fact.zone;
  return told.findLast(({ notification }) => notification.alerts.some(has))?.notification.alerts.find(has)?.status;
}

function checkLiveness(world: World): void {
  const patience = GROUP_WAIT + GROUP_INTERVAL + 1000;
  for (const fact of world.facts) {
    if (world.now - fact.steadySince <= patience || !world.up || world.muted(fact, world.now)) continue;
    const known = belief(world.scene.told, fact);
    if (world.firing(fact, world.now) && known !== "firing")
      throw new Error(
        `${fact.name} ${fact.zone} fires since ${formatDuration(fact.steadySince - START)} and nobody knows`,
      );
  }
}

function checkMuted(world: World, told: Told): void {
  for (const alert of told.notification.alerts) {
    const fact = world.facts.find(
      ({ name, zone }) => name === alert.labels["alertname"] && zone === alert.labels["zone"],
    );
    if (fact && world.muted(fact, told.atMs)) throw new Error(`${fact.name} ${fact.zone} was told of while muted`);
    if (fact && alert.status === "firing" && !world.firing(fact, told.atMs))
      throw new Error(`${fact.name} was told as firing after its end`);
  }
}

function checkSequence(told: readonly Told[]): void {
  const last = new Map<string, Told>();
  for (const current of told) {
    const { notification } = current;
    const key = `${notification.receiver} ${notification.groupKey}`;
    const before = last.get(key);
    last.set(key, current);
    const since = before ? current.atMs - before.atMs : Number.POSITIVE_INFINITY;
    if (before && since <= REPEAT_INTERVAL && content(before) === content(current))
      throw new Error(`${key} was told the same after ${formatDuration(since)}`);
    if (
      notification.reason === "all alerts resolved" &&
      !before?.notification.alerts.some(({ status }) => status === "firing")
    )
      throw new Error(`${key} was told of the end of what it had not been told of`);
    if (notification.alerts.length === 0) throw new Error(`${key} was told nothing`);
  }
}

function content({ notification }: Told): string {
  return notification.alerts
    .map(({ fingerprint, status }) => `${fingerprint} ${status}`)
    .sort()
    .join("\n");
}

function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(SEEDS)("seed %d: whatever happens, alerts are told in time, once, and not while muted", async (seed) => {
  const random = mulberry32(seed);
  scene = await openScene(CONFIG, {
    stopGraceMs: 0,
    answer: (told) => {
      checkMuted(world, told);
      return world.up ? { status: "sent" } : { status: "failed", reason: "clientError", error: "down" };
    },
  });
  const world = new World(scene, random);
  try {
    while (world.now < START + HOURS * 3_600_000) {
      const disturbed = await pick(world, ACTIONS)(world);
      world.observe(disturbed || !world.up);
      await scene.clock.advance(Math.round((random() < 0.5 ? 20_000 : 900_000) * random()));
      world.observe(!world.up);
      checkLiveness(world);
    }
    checkSequence(scene.told);
  } catch (error) {
    const failures = scene.decisions.filter((record) => record.kind === "attempt" && record.error?.includes("muted"));
    throw new Error(
      `${(error as Error).message}\n${world.journal.join("\n")}\ntold:\n${scene.lines.slice(-20).join("\n")}\n${failures.map(({ sentence }) => sentence).join("\n")}`,
      { cause: error },
    );
  }
  const broken = scene.decisions.filter(
    (record) => record.kind === "attempt" && record.error !== undefined && record.error !== "down",
  );
  expect(broken.map(({ at, sentence }) => `${at} ${sentence}`)).toEqual([]);
});
