import { inspect } from "node:util";
import { z } from "zod";

const SHOWN = "<secret>";

/** A value that never shows itself in logs, JSON or string conversions. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** A string in a configuration file that must not be shown. */
export const SecretString = z.string().transform((value) => new Secret(value));
