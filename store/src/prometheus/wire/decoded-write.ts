import type { Exemplar, Labels, MetricMetadata, Sample } from "@tocsin/model";

/** A write request as it was read. */
export interface DecodedWrite {
  series: DecodedSeries[];
  metadata: MetricMetadata[];
  /** Why series were left out, one reason each. */
  invalid: string[];
}

export interface DecodedSeries {
  labels: Labels;
  samples: Sample[];
  exemplars: Exemplar[];
}

/** Labels while they are read: what comes over the wire may name one twice. */
export class DecodedLabels {
  readonly all: Record<string, string> = {};
  mistake: string | undefined;

  add(name: string, value: string): void {
    if (name === "") this.mistake ??= "a label has no name";
    // An object can't hold it as a label.
    else if (name === "__proto__") this.mistake ??= "__proto__ cannot be the name of a label";
    else if (Object.hasOwn(this.all, name)) this.mistake ??= `label ${JSON.stringify(name)} is given twice`;
    else if (value !== "") this.all[name] = value;
  }
}
