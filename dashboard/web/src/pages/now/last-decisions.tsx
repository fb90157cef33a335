import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useDecisions } from "../../api/decisions.ts";
import { DecisionList } from "../../ui/decision-list.tsx";
import { Panel, QueryView } from "../../ui/panel.tsx";
import { useLink } from "../../url/use-search.ts";

/** What ends in a message or in none; the steps between stand on the alert's own page. */
const NOTIFIED = "evaluation,rule_error,muted,attempt";

/** The newest decisions of evaluator and router. */
export function LastDecisions() {
  const { t } = useTranslation();
  const link = useLink();
  const decisions = useDecisions({ kind: NOTIFIED, limit: 60 });
  return (
    <Panel title={t("now.decisions")} flush actions={<Link to={link("/inbox")}>{t("now.openDemo")}</Link>}>
      <QueryView
        query={decisions}
        rows={6}
        isEmpty={({ items }) => items.length === 0}
        empty={{ title: t("now.decisionsNone"), why: t("now.decisionsNoneWhy") }}
      >
        {({ items }) => <DecisionList records={items} most={10} />}
      </QueryView>
    </Panel>
  );
}
