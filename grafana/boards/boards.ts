import type { Board } from "../src/board.ts";
import { alerting } from "./alerting/board.ts";
import { node } from "./node/board.ts";
import { overview } from "./overview/board.ts";
import { pipeline } from "./pipeline/board.ts";
import { rateLimiter } from "./rate-limiter/board.ts";
import { service } from "./service/board.ts";
import { slo } from "./slo/board.ts";
import { sms } from "./sms/board.ts";

/** Every board. A new one is a folder and a line here. */
export const boards: readonly Board[] = [overview, service, node, sms, rateLimiter, pipeline, alerting, slo];
