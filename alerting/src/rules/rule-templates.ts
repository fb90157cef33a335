import { createTemplateSet, GoMap, GoStruct, TemplateError, type TemplateSet } from "@tocsin/gotemplate";
import { type Labels, METRIC_NAME, type UnixMs } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import type { QueryAnswer, QuerySample } from "../query-source.ts";
import type { AlertingRule } from "./rule-file.ts";
import { ruleTemplateFunctions, type TemplateSample, type TemplateScope } from "./template-functions.ts";

/** What Prometheus puts before every template, so that `$labels` and the others can be used. */
const PRELUDE =
  "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";
/** Queries one label or annotation may make. */
const MAX_QUERIES = 50;
const LIMITS = { steps: 100_000, outputLength: 256 * 1024 };

/** A candidate for an alert: a sample of the result with its labels and annotations expanded. */
export interface ExpandedSample {
  labels: Labels;
  annotations: Labels;
  value: number;
}

export interface ExpansionContext {
  atMs: UnixMs;
  externalLabels: Labels;
  externalUrl: string;
  query(expr: string): Promise<QueryAnswer>;
}

/** Why a text is not a valid template of this alert; undefined when it is. */
export function templateProblem(alert: string, text: string): string | undefined {
  if (!text.includes("{{")) return undefined;
  try {
    compile(alert, text, noScope);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

const noScope = (): TemplateScope => {
  throw new Error("not available while a template is parsed");
};

const templateName = (alert: string) => `__alert_${alert}`;

function compile(alert: string, text: string, scope: () => TemplateScope): TemplateSet {
  const set = createTemplateSet({
    mode: "text",
    functions: ruleTemplateFunctions(scope),
    missingKey: "zero",
    limits: LIMITS,
  });
  set.parse(templateName(alert), PRELUDE + text);
  return set;
}

/** The templates of one alerting rule, parsed once. */
export class RuleTemplates {
  readonly #rule: AlertingRule;
  readonly #sets = new Map<string, TemplateSet>();
  #scope: TemplateScope | undefined;

  constructor(rule: AlertingRule) {
    this.#rule = rule;
    for (const text of [...Object.values(rule.labels), ...Object.values(rule.annotations)])
      if (text.includes("{{") && !this.#sets.has(text))
        this.#sets.set(
          text,
          compile(rule.name, text, () => this.#scope ?? noScope()),
        );
  }

  /** Labels and annotations of the alert that a sample makes. A template that fails leaves its error as the text. */
  async expand(sample: QuerySample, context: ExpansionContext): Promise<ExpandedSample> {
    const data = new GoStruct("template.alertTemplateData", {
      Labels: new GoMap(sample.labels, { elem: "string" }),
      ExternalLabels: new GoMap(context.externalLabels, { elem: "string" }),
      ExternalURL: context.externalUrl,
      Value: sample.value,
    });
    const answers = new Map<string, TemplateSample[] | Error>();
    const labels: Record<string, string> = { ...sample.labels };
    delete labels[METRIC_NAME];
    for (const [name, text] of Object.entries(this.#rule.labels)) {
      const value = await this.#text(text, data, context, answers);
      if (value === "") delete labels[name];
      else labels[name] = value;
    }
    labels["alertname"] = this.#rule.name;
    const annotations: Record<string, string> = {};
    for (const [name, text] of Object.entries(this.#rule.annotations))
      annotations[name] = await this.#text(text, data, context, answers);
    return { labels, annotations, value: sample.value };
  }

  /**
   * Runs a template. It cannot wait for a query, so it is run again with the answer each time it meets a new one;
   * templates have no other effects.
   */
  async #text(
    text: string,
    data: GoStruct,
    context: ExpansionContext,
    answers: Map<string, TemplateSample[] | Error>,
  ): Promise<string> {
    const set = this.#sets.get(text);
    if (set === undefined) return text;
    const name = templateName(this.#rule.name);
    for (let run = 0; ; run++) {
      let missing: string | undefined;
      this.#scope = {
        atMs: context.atMs,
        externalUrl: context.externalUrl,
        query: (expr) => {
          const answer = answers.get(expr);
          if (answer instanceof Error) throw answer;
          if (answer !== undefined) return answer;
          missing = expr;
          throw new Error(`more than ${MAX_QUERIES} queries in one template`);
        },
      };
      try {
        return set.execute(name, data);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        if (missing === undefined || run >= MAX_QUERIES)
          return `<error expanding template: error executing template ${name}: ${error.message}>`;
      } finally {
        this.#scope = undefined;
      }
      answers.set(missing, await context.query(missing).then(samplesOf, asError));
    }
  }
}

function samplesOf(answer: QueryAnswer): TemplateSample[] {
  switch (answer.type) {
    case "vector":
      return answer.samples;
    case "scalar":
      return [{ labels: {}, value: answer.value }];
    case "matrix":
    case "string":
      throw new Error("query result is not a vector or scalar");
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(errorMessage(error)));
