/**
 * Where one kind of state survives restarts: an append-only log and, now and then, a snapshot that replaces it.
 * Records are JSON values; a later record of the same thing replaces an earlier one, which is the reader's business.
 */
export interface StateLog {
  /** The records of the last snapshot and everything appended since, in order. Called once, before anything else. */
  load(): Promise<unknown[]>;
  /** Resolves when the records would survive the end of this process. Rejects when they could not be written. */
  append(records: readonly unknown[]): Promise<void>;
  /** Replaces the log by what `records` gives now. */
  snapshot(records: Iterable<unknown>): Promise<void>;
  /** Bytes appended since the last snapshot. */
  readonly appendedBytes: number;
  close(): Promise<void>;
}

export interface StateStorage {
  open(name: string): StateLog;
}

/** State that lives as long as this object: for tests and for routers without a data folder. */
export function memoryStorage(): StateStorage {
  const logs = new Map<string, string[]>();
  return {
    open(name) {
      let appendedBytes = 0;
      const lines = () => logs.get(name) ?? [];
      return {
        load: async () => lines().map((line) => JSON.parse(line) as unknown),
        append: async (records) => {
          const added = records.map((record) => JSON.stringify(record));
          appendedBytes += added.reduce((sum, line) => sum + line.length, 0);
          logs.set(name, lines().concat(added));
        },
        snapshot: async (records) => {
          appendedBytes = 0;
          logs.set(
            name,
            Array.from(records, (record) => JSON.stringify(record)),
          );
        },
        get appendedBytes() {
          return appendedBytes;
        },
        close: async () => {},
      };
    },
  };
}
