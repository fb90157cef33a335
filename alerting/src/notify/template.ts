import { readFileSync } from "node:fs";
import { createTemplateSet, TemplateError, type TemplateSet } from "@tocsin/gotemplate";
import { ConfigError, errorMessage, type Clock } from "@tocsin/platform";
import type { Labels } from "@tocsin/model";
import { BUILT_IN_HTML, BUILT_IN_TEXT } from "./built-in-templates.ts";
import { extraIntegrations, integrations } from "./integrations.ts";
import { notificationData, templateData, type NotificationData } from "./template-data.ts";
import { notificationFunctions } from "./template-functions.ts";
import type { RouterConfig } from "../config/load.ts";
import type { Notification } from "./notification.ts";

export interface TemplatesOptions {
  /** Parsed after the built-in templates, so that they may define those anew. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly externalUrl: () => string;
}

/** The templates of a configuration: the built-in ones and the user's, for text and for HTML. */
export class Templates {
  readonly #externalUrl: () => string;
  readonly #sets: Readonly<Record<"text" | "html", TemplateSet>>;
  readonly #compiled = { text: new Map<string, TemplateSet>(), html: new Map<string, TemplateSet>() };
  /** Of the notification being rendered; rendering never waits, so there is only one at a time. */
  #routeLabels: Labels = {};

  /** Throws a ConfigError that names the file when one cannot be read or parsed. */
  constructor({ files, clock, externalUrl }: TemplatesOptions) {
    this.#externalUrl = externalUrl;
    const functions = notificationFunctions({
      now: () => clock.now(),
      routeLabel: (name) => this.#routeLabels[name] ?? "",
    });
    const text = createTemplateSet({ mode: "text", functions, missingKey: "zero" });
    const html = createTemplateSet({ mode: "html", functions, missingKey: "zero" });
    for (const set of [text, html]) {
      set.parse("built-in", BUILT_IN_TEXT);
      set.parse("built-in-html", BUILT_IN_HTML);
      for (const { name, defaults } of [...integrations, ...extraIntegrations])
        if (defaults !== undefined) set.parse(`built-in-${name}`, defaults);
      for (const file of files) parseFile(set, file);
    }
    this.#sets = { text, html };
  }

  data(
    notification: Pick<Notification, "receiver" | "reason" | "groupLabels" | "routeLabels" | "alerts">,
  ): NotificationData {
    return notificationData(notification, this.#externalUrl());
  }

  /** Renders a text. Throws a TemplateError. */
  text(template: string, data: NotificationData): string {
    return template.includes("{{") ? this.#render("text", template, data) : template;
  }

  /** Renders HTML; values are escaped for the place they stand in. Throws a TemplateError. */
  html(template: string, data: NotificationData): string {
    return template.includes("{{") ? this.#render("html", template, data) : template;
  }

  /** What is wrong with the templates in the receivers' blocks; they load all the same, as in Alertmanager. */
  mistakesIn(receivers: RouterConfig["receivers"]): string[] {
    return receivers.flatMap(({ name, integrations }) =>
      integrations.flatMap(({ integration, config, index }) => {
        const { text, html = [] } = integration.templates(config);
        const mistakes = [
          ...text.map((it) => this.#mistakeIn(it, "text")),
          ...html.map((it) => this.#mistakeIn(it, "html")),
        ];
        return mistakes
          .filter((mistake) => mistake !== undefined)
          .map((mistake) => `receiver ${name}, ${integration.name}_configs[${index}]: ${mistake}`);
      }),
    );
  }

  #mistakeIn(template: string, mode: "text" | "html"): string | undefined {
    try {
      if (template.includes("{{")) this.#compile(mode, template);
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }

  #render(mode: "text" | "html", template: string, data: NotificationData): string {
    this.#routeLabels = data.routeLabels;
    return this.#compile(mode, template).execute("", templateData(data));
  }

  /** Texts come from the configuration only, so what is kept is bounded by it. */
  #compile(mode: "text" | "html", template: string): TemplateSet {
    const known = this.#compiled[mode].get(template);
    if (known) return known;
    const set = this.#sets[mode].clone();
    set.parse("", template);
    this.#compiled[mode].set(template, set);
    return set;
  }

  /**
   * Renders a route's labels. They may refer to one another by the function routeLabels; where that goes in a circle,
   * or a template fails otherwise, the label shows the error.
   */
  routeLabels(templates: Labels, data: NotificationData): Labels {
    const names = Object.keys(templates);
    if (names.every((name) => !templates[name]?.includes("{{"))) return templates;
    const rendered: Record<string, string> = {};
    const open = new Set<string>();
    const render = (name: string): string => {
      const done = rendered[name];
      if (done !== undefined) return done;
      const template = templates[name];
      if (template === undefined) return "";
      if (open.has(name)) throw new TemplateError(`route label ${name} refers to itself`);
      open.add(name);
      try {
        return (rendered[name] = this.#renderRouteLabel(template, data, render));
      } finally {
        open.delete(name);
      }
    };
    for (const name of names) {
      try {
        rendered[name] = render(name);
      } catch (error) {
        rendered[name] = `<error: ${errorMessage(error)}>`;
      }
    }
    return Object.fromEntries(names.map((name) => [name, rendered[name] ?? ""]));
  }

  #renderRouteLabel(template: string, data: NotificationData, resolve: (name: string) => string): string {
    if (!template.includes("{{")) return template;
    this.#routeLabels = lazily(resolve);
    return this.#compile("text", template).execute("", templateData({ ...data, routeLabels: {} }));
  }
}

/** Labels whose values are made when they are asked for. */
function lazily(resolve: (name: string) => string): Labels {
  return new Proxy<Record<string, string>>(
    {},
    { get: (_, name) => (typeof name === "string" ? resolve(name) : undefined) },
  );
}

function parseFile(set: TemplateSet, file: string): void {
  try {
    set.parse(file, readFileSync(file, "utf8"));
  } catch (error) {
    const line = Number(/:(\d+):/.exec(errorMessage(error))?.[1] ?? 1);
    throw new ConfigError([{ file, line, column: 1, path: "", message: errorMessage(error) }]);
  }
}
