import { z } from "zod";

/** The bus itself is configured where it is made. */
export const BusExporterConfig = z.strictObject({});
