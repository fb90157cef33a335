import { ActionIcon, Button, SegmentedControl } from "@mantine/core";
import { IconListSearch, IconPlayerPlay, IconPlus, IconX } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { z } from "zod";
import { useSearch } from "../../url/use-search.ts";
import { ExpressionResult } from "./expression-result.tsx";
import { MOST_EXPRESSIONS, readExpressions, startingExpression, writeExpressions } from "./expressions.ts";
import { MetricBrowser } from "./metric-browser.tsx";
import classes from "./metrics-page.module.css";

const PromEditor = lazy(() =>
  import("../../ui/prom-editor.tsx").then(({ PromEditor: Component }) => ({ default: Component })),
);

const Search = z.object({ view: z.enum(["graph", "table"]).catch("graph") });

/** PromQL: expressions as graphs or tables, and the metrics there are to ask for. */
export function Component() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const [{ view }, setSearch] = useSearch(Search);
  const [browsing, setBrowsing] = useState(false);
  const expressions = readExpressions(params);
  const write = (next: readonly string[]) => setParams((current) => writeExpressions(current, next));
  const set = (index: number, expression: string) => write(expressions.map((e, i) => (i === index ? expression : e)));
  const pick = (name: string, type: string) => {
    const expression = startingExpression(name, type);
    const free = expressions.indexOf("");
    if (free >= 0) set(free, expression);
    else if (expressions.length < MOST_EXPRESSIONS) write([...expressions, expression]);
    else set(expressions.length - 1, expression);
    setBrowsing(false);
  };
  return (
    <div className={classes["page"]} data-browsing={browsing}>
      <MetricBrowser onPick={pick} />
      <div className={classes["main"]}>
        <div className={classes["bar"]}>
          <SegmentedControl
            size="xs"
            aria-label={t("alerts.view")}
            value={view}
            onChange={(next) => setSearch({ view: next === "table" ? "table" : "graph" })}
            data={[
              { value: "graph", label: t("metrics.graph") },
              { value: "table", label: t("alerts.table") },
            ]}
          />
          <Button
            variant="default"
            className={classes["browseButton"]}
            aria-expanded={browsing}
            leftSection={<IconListSearch size={14} aria-hidden />}
            onClick={() => setBrowsing(!browsing)}
          >
            {t("metrics.browse")}
          </Button>
        </div>
        {expressions.map((expression, index) => (
          <Expression
            key={index}
            index={index}
            expression={expression}
            view={view}
            onRun={(next) => set(index, next)}
            {...(expressions.length > 1 ? { onRemove: () => write(expressions.filter((_, i) => i !== index)) } : {})}
          />
        ))}
        {expressions.length < MOST_EXPRESSIONS && (
          <div>
            <Button
              variant="subtle"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => write([...expressions, ""])}
            >
              {t("metrics.add")}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function Expression({
  index,
  expression,
  view,
  onRun,
  onRemove,
}: {
  index: number;
  expression: string;
  view: "graph" | "table";
  onRun: (expression: string) => void;
  onRemove?: () => void;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(expression);
  const [runs, setRuns] = useState(0);
  const [applied, setApplied] = useState(expression);
  if (applied !== expression) {
    setApplied(expression);
    setDraft(expression);
  }
  const run = (next: string) => {
    // The same expression run again asks again, though the address does not change.
    if (next === expression) setRuns(runs + 1);
    onRun(next);
  };
  const position = { index: index + 1 };
  return (
    <section className={classes["expression"]} aria-label={t("metrics.expression", position)}>
      <div className={classes["editorRow"]}>
        <div className={classes["editor"]}>
          <Suspense fallback={<pre className={classes["editorLoading"]}>{expression}</pre>}>
            <PromEditor
              value={draft}
              label={t("metrics.expression", position)}
              hint={t("metrics.hint")}
              onChange={setDraft}
              onRun={run}
            />
          </Suspense>
        </div>
        <Button
          size="sm"
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          onClick={() => run(draft)}
          disabled={draft.trim() === ""}
        >
          {t("metrics.run")}
        </Button>
        {onRemove !== undefined && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("metrics.remove", position)}
            onClick={onRemove}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        )}
      </div>
      <ExpressionResult expression={expression} view={view} runs={runs} />
    </section>
  );
}
