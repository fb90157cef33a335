import { email } from "./email/notifier.ts";
import { webhook } from "./webhook/notifier.ts";

/** Every way to notify that is built in. A new one is a folder beside these and a line here. */
export const integrations = [webhook, email] as const;
