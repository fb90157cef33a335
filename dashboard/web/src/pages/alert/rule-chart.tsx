import type { Labels } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { useRangeQuery } from "../../api/prometheus.ts";
import type { AlertingRule } from "../../api/rules.ts";
import { SeriesChart } from "../../charts/series-chart.tsx";
import { formatNumber } from "../../format/quantity.ts";
import { QueryView } from "../../ui/panel.tsx";
import { absoluteRange } from "../../url/range.ts";
import { useRange } from "../../url/use-range.ts";
import { thresholdOf } from "./threshold.ts";

/** The rule's value over the range against its limit; only the alert's own series where the labels tell which that is. */
export function RuleChart({ rule, labels }: { rule: AlertingRule; labels: Labels }) {
  const { t } = useTranslation();
  const { range, setRange } = useRange();
  const threshold = thresholdOf(rule.query);
  const answer = useRangeQuery(threshold?.expression ?? rule.query, range);
  return (
    <QueryView
      query={answer}
      rows={5}
      isEmpty={({ series }) => series.length === 0}
      empty={{ title: t("metrics.noSeries"), why: t("metrics.noSeriesWhy") }}
    >
      {({ series, fromMs, toMs }) => {
        const own = series.filter(({ id }) => belongs(id, labels));
        return (
          <SeriesChart
            label={t("alert.chart")}
            series={own.length > 0 ? own : series}
            fromMs={fromMs}
            toMs={toMs}
            format={formatNumber}
            height={180}
            threshold={threshold?.limit}
            onZoom={(from, to) => setRange(absoluteRange(from, to))}
          />
        );
      }}
    </QueryView>
  );
}

/** Whether every label a series shows is the alert's. */
function belongs(seriesId: string, labels: Labels): boolean {
  const pairs = [...seriesId.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return pairs.every(([, name = "", value]) => labels[name] === undefined || labels[name] === value);
}
