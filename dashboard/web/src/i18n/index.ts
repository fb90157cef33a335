import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en.ts";

export const LANGUAGES = [
  { code: "en", name: "English" },
  { code: "zh-CN", name: "简体中文" },
] as const;
export type Language = (typeof LANGUAGES)[number]["code"];

const STORAGE_KEY = "tocsin.language";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

/** The language asked for before, else the browser's where we have it, else English. */
export function preferredLanguage(saved: string | null, wanted: readonly string[]): Language {
  if (saved === "en" || saved === "zh-CN") return saved;
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh-CN";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** Starts i18next with English built in; other languages are fetched when they are chosen. */
export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    supportedLngs: ["en", "zh-CN"],
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  const language = preferredLanguage(localStorage.getItem(STORAGE_KEY), navigator.languages);
  if (language !== "en") await switchTo(language);
}

async function switchTo(language: Language): Promise<void> {
  if (language === "zh-CN" && !i18next.hasResourceBundle("zh-CN", "translation")) {
    const { zhCN } = await import("./zh-cn.ts");
    i18next.addResourceBundle("zh-CN", "translation", zhCN);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Changes the language now and for the next visits. */
export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORAGE_KEY, language);
  await switchTo(language);
}
