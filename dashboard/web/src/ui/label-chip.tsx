import { useTranslation } from "react-i18next";
import classes from "./label-chip.module.css";

/** `name=value`; a press filters by it, with Alt it is excluded. */
export function LabelChip({
  name,
  value,
  onFilter,
}: {
  name: string;
  value: string;
  onFilter?: (name: string, value: string, exclude: boolean) => void;
}) {
  const { t } = useTranslation();
  const text = (
    <>
      <span className={classes["name"]}>{name}</span>={value}
    </>
  );
  if (onFilter === undefined) return <span className={classes["chip"]}>{text}</span>;
  return (
    <button
      type="button"
      className={classes["chip"]}
      title={t("alerts.addFilter", { label: `${name}=${value}` })}
      onClick={(event) => onFilter(name, value, event.altKey)}
    >
      {text}
    </button>
  );
}

export function LabelChips({
  labels,
  hide = [],
  onFilter,
}: {
  labels: Readonly<Record<string, string>>;
  hide?: readonly string[];
  onFilter?: (name: string, value: string, exclude: boolean) => void;
}) {
  const shown = Object.entries(labels).filter(([name]) => !hide.includes(name));
  return (
    <span className={classes["chips"]}>
      {shown.map(([name, value]) => (
        <LabelChip key={name} name={name} value={value} {...(onFilter === undefined ? {} : { onFilter })} />
      ))}
    </span>
  );
}
