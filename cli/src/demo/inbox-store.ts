import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { InboxDetail, InboxItem } from "@tocsin/model";

const KEPT = 500;

export type NewMessage = Omit<InboxDetail, "id" | "receivedAt"> & { receivedAtMs: number };

/** The newest messages of the dev inbox, on disk. */
export class InboxStore {
  readonly #db: DatabaseSync;
  readonly #onMessage: (item: InboxItem) => void;

  constructor(file: string, onMessage: (item: InboxItem) => void) {
    this.#db = new DatabaseSync(file);
    this.#onMessage = onMessage;
    this.#db.exec(`PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS message(
        seq INTEGER PRIMARY KEY, id TEXT UNIQUE, kind TEXT, received_at TEXT, recipient TEXT, subject TEXT, body TEXT,
        html TEXT, headers TEXT)`);
  }

  add(message: NewMessage): InboxItem {
    const { receivedAtMs, html, headers, ...rest } = message;
    const item: InboxItem = { id: randomUUID(), receivedAt: new Date(receivedAtMs).toISOString(), ...rest };
    this.#db
      .prepare(
        "INSERT INTO message(id, kind, received_at, recipient, subject, body, html, headers) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(item.id, item.kind, item.receivedAt, item.to, item.subject, item.body, html, JSON.stringify(headers));
    this.#db.prepare(`DELETE FROM message WHERE seq <= (SELECT max(seq) FROM message) - ${KEPT}`).run();
    this.#onMessage(item);
    return item;
  }

  /** Newest first. */
  list(): InboxItem[] {
    return this.#db.prepare("SELECT * FROM message ORDER BY seq DESC").all().map(toItem);
  }

  get(id: string): InboxDetail | undefined {
    const row = this.#db.prepare("SELECT * FROM message WHERE id = ?").get(id);
    if (!row) return undefined;
    const headers = JSON.parse(String(row["headers"])) as InboxDetail["headers"];
    return { ...toItem(row), html: row["html"] === null ? null : String(row["html"]), headers };
  }

  close(): void {
    this.#db.close();
  }
}

function toItem(row: Record<string, unknown>): InboxItem {
  return {
    id: String(row["id"]),
    kind: row["kind"] === "email" ? "email" : "webhook",
    receivedAt: String(row["received_at"]),
    to: String(row["recipient"]),
    subject: String(row["subject"]),
    body: String(row["body"]),
  };
}
