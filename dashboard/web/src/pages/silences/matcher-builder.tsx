import { ActionIcon, Autocomplete, Button, NativeSelect } from "@mantine/core";
import type { Matcher, MatchType } from "@tocsin/model";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { GettableAlert } from "../../api/alertmanager.ts";
import classes from "./silence-dialog.module.css";
import { problemOf } from "./silence-dialog.tsx";

const TYPES: readonly MatchType[] = ["=", "!=", "=~", "!~"];

/** One row for each matcher; names and values are offered from the alerts there are. */
export function MatcherBuilder({
  matchers,
  onChange,
  alerts,
}: {
  matchers: readonly Matcher[];
  onChange: (matchers: Matcher[]) => void;
  alerts: readonly GettableAlert[];
}) {
  const { t } = useTranslation();
  const names = [...new Set(alerts.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const change = (index: number, patch: Partial<Matcher>) =>
    onChange(matchers.map((matcher, i) => (i === index ? { ...matcher, ...patch } : matcher)));
  return (
    <fieldset className={classes["matchers"]}>
      <legend>{t("silences.matchers")}</legend>
      {matchers.map((matcher, index) => {
        const values = [...new Set(alerts.flatMap(({ labels }) => labels[matcher.name] ?? []))].sort();
        const problem = problemOf(matcher);
        const position = { index: index + 1 };
        return (
          <div key={index} className={classes["matcher"]}>
            <Autocomplete
              size="xs"
              aria-label={t("silences.matcherName", position)}
              placeholder={t("silences.namePlaceholder")}
              data={names}
              value={matcher.name}
              error={problem?.field === "name" ? t("silences.required") : undefined}
              onChange={(name) => change(index, { name })}
            />
            <NativeSelect
              size="xs"
              aria-label={t("silences.matcherOp", position)}
              value={matcher.type}
              data={[...TYPES]}
              title={t(OPERATORS[matcher.type])}
              onChange={(event) => change(index, { type: event.currentTarget.value as MatchType })}
            />
            <Autocomplete
              size="xs"
              aria-label={t("silences.matcherValue", position)}
              placeholder={t("silences.valuePlaceholder")}
              data={values}
              value={matcher.value}
              error={problem?.field === "value" ? t("silences.badRegexp", { message: problem.message }) : undefined}
              onChange={(value) => change(index, { value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size={28}
              aria-label={t("silences.removeMatcher", position)}
              disabled={matchers.length === 1}
              onClick={() => onChange(matchers.filter((_, i) => i !== index))}
            >
              <IconX size={14} aria-hidden />
            </ActionIcon>
          </div>
        );
      })}
      <div>
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...matchers, { name: "", type: "=", value: "" }])}
        >
          {t("silences.addMatcher")}
        </Button>
      </div>
    </fieldset>
  );
}

const OPERATORS = {
  "=": "silences.opEqual",
  "!=": "silences.opNotEqual",
  "=~": "silences.opRegex",
  "!~": "silences.opNotRegex",
} as const;
