import type { DropReason, ExportObserver } from "./export/batch-exporter.ts";
import type { ExportSignal, exportMetrics } from "./metrics/export-metrics.ts";

/** Says on stderr whether exporting works: once when it first does, once when it stops, once when it works again. */
export class ExportReporter {
  readonly #say: (line: string) => void;
  readonly #counters: ReturnType<typeof exportMetrics>;
  #state: "unknown" | "working" | "failing" = "unknown";
  #lostSinceFailure = 0;

  constructor(say: (line: string) => void, counters: ReturnType<typeof exportMetrics>) {
    this.#say = say;
    this.#counters = counters;
  }

  observer(signal: ExportSignal, url: string): ExportObserver {
    return {
      exported: (records, tookMs) => {
        this.#counters.exported.inc({ signal }, records);
        if (this.#state === "working") return;
        if (this.#state === "unknown") this.#say(`first export ok in ${tookMs} ms`);
        else this.#say(`export works again; ${this.#lostSinceFailure} records were lost meanwhile`);
        this.#state = "working";
        this.#lostSinceFailure = 0;
      },
      failed: (error, willRetry) => {
        this.#counters.failures.inc({ signal });
        if (this.#state === "failing") return;
        this.#state = "failing";
        this.#say(`export of ${signal} to ${url} failed: ${error}${willRetry ? "; trying on" : ""}`);
      },
      dropped: (records: number, reason: DropReason) => {
        this.#counters.dropped.inc({ signal, reason }, records);
        this.#lostSinceFailure += records;
      },
    };
  }
}
