import "@mantine/core/styles.css";
import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "./styles/tokens.css";
import "./styles/global.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { startI18n } from "./i18n/index.ts";
import { takeNonce } from "./nonce.ts";
import { translateForeign } from "./url/foreign-links.ts";

takeNonce();
const translated = translateForeign(new URL(window.location.href));
if (translated !== undefined) window.history.replaceState(null, "", translated);
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
await startI18n();
createRoot(root).render(<App />);
