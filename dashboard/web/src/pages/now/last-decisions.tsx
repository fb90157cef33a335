import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useDecisions } from "../../api/decisions.ts";
import { DecisionList } from "../../ui/decision-list.tsx";
import { Panel, QueryView } from "../../ui/panel.tsx";
import { useLink } from "../../url/use-search.ts";

/** The newest decisions of evaluator and router. */
export function LastDecisions() {
  const { t } = useTranslation();
  const link = useLink();
  const decisions = useDecisions({ limit: 10 });
  return (
    <Panel title={t("now.decisions")} flush actions={<Link to={link("/inbox")}>{t("now.openDemo")}</Link>}>
      <QueryView
        query={decisions}
        rows={6}
        isEmpty={({ items }) => items.length === 0}
        empty={{ title: t("now.decisionsNone"), why: t("now.decisionsNoneWhy") }}
      >
        {({ items }) => <DecisionList records={items.slice(0, 10)} />}
      </QueryView>
    </Panel>
  );
}
