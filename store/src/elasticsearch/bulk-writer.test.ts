import { ManualClock } from "@tocsin/testing";
import { TocsinError } from "@tocsin/platform";
import { describe, expect, test } from "vitest";
import { BulkWriter, type BulkDocument } from "./bulk-writer.ts";
import { ServerRefused, type Request } from "./connection.ts";

/** What a server says to one bulk request: a status for each document, or an error. */
type Answer = { items: { index: { status: number; error?: { type: string; reason: string } } }[] } | Error;

class FakeServer {
  readonly requests: string[][] = [];
  readonly #answer: (ids: string[], attempt: number) => Answer | Promise<Answer>;

  constructor(answer: (ids: string[], attempt: number) => Answer | Promise<Answer>) {
    this.#answer = answer;
  }

  async request<T>({ lines = "" }: Request): Promise<T> {
    const ids = [...lines.matchAll(/"_id":"([^"]*)"/g)].flatMap(([, id]) => id ?? []);
    this.requests.push(ids);
    const answer = await this.#answer(ids, this.requests.length);
    if (answer instanceof Error) throw answer;
    return answer as T;
  }
}

const items = (...statuses: number[]) => ({ items: statuses.map((status) => ({ index: { status } })) });
const refused = (type: string) => ({ index: { status: 400, error: { type, reason: "because" } } });
const documents = (...ids: string[]): BulkDocument[] => ids.map((id) => ({ index: "i", id, source: `{"n":"${id}"}` }));
const busy = new ServerRefused(429, "es_rejected_execution_exception", "too busy");
const KEEP = { refresh: false };

function setUp(answer: ConstructorParameters<typeof FakeServer>[0], options: { maxBytes?: number } = {}) {
  const clock = new ManualClock();
  const server = new FakeServer(answer);
  const retries: string[] = [];
  const writer = new BulkWriter({
    connection: server,
    clock,
    maxBytes: options.maxBytes ?? 1e6,
    concurrency: 2,
    timeoutMs: 10_000,
    random: () => 0.5,
    onRetry: (reason) => retries.push(reason),
  });
  return { clock, server, writer, retries };
}

test("tells new documents from those that were there", async () => {
  const { writer } = setUp(() => items(201, 200));
  expect(await writer.write(documents("a", "b"), KEEP)).toEqual([{ status: "created" }, { status: "replaced" }]);
});

test("what comes at one moment goes in one request, within its size", async () => {
  const { writer, server } = setUp((ids) => items(...ids.map(() => 201)), { maxBytes: 150 });
  await Promise.all([writer.write(documents("a"), KEEP), writer.write(documents("b", "c", "d"), KEEP)]);
  expect(server.requests).toEqual([["a", "b", "c"], ["d"]]);
});

describe("a busy server", () => {
  test("gets the documents it rejected again, after 100 ms, and only those", async () => {
    const { writer, server, clock, retries } = setUp((ids, attempt) =>
      attempt === 1 ? items(201, 429) : items(...ids.map(() => 201)),
    );
    const written = writer.write(documents("a", "b"), KEEP);
    await clock.advance(99);
    expect(server.requests).toEqual([["a", "b"]]);
    await clock.advance(1);
    expect(await written).toEqual([{ status: "created" }, { status: "created" }]);
    expect(server.requests).toEqual([["a", "b"], ["b"]]);
    expect(retries).toEqual(["rejected"]);
  });

  test("is left in peace for ever longer, until time is up", async () => {
    const asked: number[] = [];
    const { writer, clock } = setUp(() => (asked.push(clock.now()), busy));
    const written = expect(writer.write(documents("a"), KEEP)).rejects.toMatchObject({ code: "TOCSIN_UNAVAILABLE" });
    await clock.advance(10_000);
    await written;
    expect(asked).toEqual([0, 100, 300, 700, 1500, 3100, 6300]);
  });
});

test("a server that is away gets everything again", async () => {
  const gone = new TocsinError("TOCSIN_UNAVAILABLE", "no connection");
  const { writer, clock, retries } = setUp((_, attempt) => (attempt === 1 ? gone : items(201)));
  const written = writer.write(documents("a"), KEEP);
  await clock.advance(100);
  expect(await written).toEqual([{ status: "created" }]);
  expect(retries).toEqual(["unreachable"]);
});

test("an answer that does not name every document decides nothing", async () => {
  const { writer, clock } = setUp((_, attempt) => (attempt === 1 ? { items: [] } : items(201)));
  const written = writer.write(documents("a"), KEEP);
  await clock.advance(100);
  expect(await written).toEqual([{ status: "created" }]);
});

test("a document that cannot be parsed is refused for good, the others are written", async () => {
  const { writer, server } = setUp(() => ({
    items: [{ index: { status: 201 } }, refused("document_parsing_exception"), { index: { status: 201 } }],
  }));
  expect(await writer.write(documents("a", "b", "c"), KEEP)).toEqual([
    { status: "created" },
    { status: "refused", reason: "document_parsing_exception: because" },
    { status: "created" },
  ]);
  expect(server.requests).toHaveLength(1);
});

test.each(["validation_exception", "illegal_argument_exception", "cluster_block_exception"])(
  "%s is not the document's fault: it is sent again",
  async (type) => {
    const { writer, clock } = setUp((_, attempt) => (attempt === 1 ? { items: [refused(type)] } : items(201)));
    const written = writer.write(documents("a"), KEEP);
    await clock.advance(100);
    expect(await written).toEqual([{ status: "created" }]);
  },
);

test("a request that is too large goes in halves; a document that is too large alone is refused", async () => {
  const { writer, server } = setUp((ids) =>
    ids.includes("big") ? new ServerRefused(413, "unknown", "too large") : items(...ids.map(() => 201)),
  );
  expect(await writer.write(documents("a", "b", "big", "c"), KEEP)).toEqual([
    { status: "created" },
    { status: "created" },
    { status: "refused", reason: "larger than the server takes: too large" },
    { status: "created" },
  ]);
  expect(server.requests).toEqual([["a", "b", "big", "c"], ["a", "b"], ["big", "c"], ["big"], ["c"]]);
});

test("after stop nothing waits and nothing is taken", async () => {
  const { writer, clock } = setUp(() => busy);
  const waiting = expect(writer.write(documents("a"), KEEP)).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
  await clock.advance(1);
  await writer.stop();
  await waiting;
  await expect(writer.write(documents("b"), KEEP)).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
  expect(clock.pending).toBe(0);
});
