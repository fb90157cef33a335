import type { Messages } from "./en.ts";
export const zhCN = {} as Messages;
