import { useTranslation } from "react-i18next";
import { useLogFacets } from "../../api/logs.ts";
import { formatNumber } from "../../format/quantity.ts";
import { QueryView } from "../../ui/panel.tsx";
import type { Range } from "../../url/range.ts";
import classes from "./facets.module.css";
import { hasTerm, term } from "./search-terms.ts";

/** The most frequent values of service and level; a press includes one, “not” leaves it out. */
export function Facets({
  q,
  range,
  text,
  onToggle,
}: {
  q: string;
  range: Range;
  text: string;
  onToggle: (term: string) => void;
}) {
  const { t } = useTranslation();
  const facets = useLogFacets(q, range);
  return (
    <aside className={classes["facets"]} aria-label={t("logs.facets")}>
      <QueryView query={facets} rows={6}>
        {(data) =>
          data.facets.map(({ field, values }) => (
            <section key={field}>
              <h2>{field === "service" ? t("logs.service") : field === "severity" ? t("logs.severity") : field}</h2>
              <ul>
                {values.map(({ value, count }) => {
                  const wanted = term(field, value);
                  return (
                    <li key={value}>
                      <button
                        type="button"
                        className={classes["value"]}
                        aria-pressed={hasTerm(text, wanted)}
                        onClick={() => onToggle(wanted)}
                      >
                        <span className="ellipsis">{value}</span>
                        <span className="dim">{formatNumber(count)}</span>
                      </button>
                      <button
                        type="button"
                        className={classes["not"]}
                        aria-pressed={hasTerm(text, `-${wanted}`)}
                        aria-label={t("logs.exclude", { value })}
                        title={t("logs.exclude", { value })}
                        onClick={() => onToggle(`-${wanted}`)}
                      >
                        ≠
                      </button>
                    </li>
                  );
                })}
              </ul>
            </section>
          ))
        }
      </QueryView>
    </aside>
  );
}
