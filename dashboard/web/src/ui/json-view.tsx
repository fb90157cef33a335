import { CopyButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./json-view.module.css";

/** A JSON value to read and fold, with a button that copies it. Deep levels start folded. */
export function JsonView({ value }: { value: unknown }) {
  const { t } = useTranslation();
  return (
    <div className={classes["root"]}>
      <CopyButton value={JSON.stringify(value, undefined, 2)}>
        {({ copied, copy }) => (
          <button type="button" className={classes["copy"]} onClick={copy}>
            {copied ? t("state.copied") : t("state.copy")}
          </button>
        )}
      </CopyButton>
      <Node value={value} depth={0} />
    </div>
  );
}

function Node({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const label = name === undefined ? null : <span className={classes["key"]}>{name}: </span>;
  if (typeof value !== "object" || value === null)
    return (
      <div className={classes["leaf"]}>
        {label}
        <span data-type={typeof value}>{JSON.stringify(value)}</span>
      </div>
    );
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0)
    return (
      <div className={classes["leaf"]}>
        {label}
        {open}
        {close}
      </div>
    );
  return (
    <details open={depth < 4}>
      <summary>
        {label}
        {open} <span className={classes["size"]}>{entries.length}</span>
      </summary>
      <div className={classes["inner"]}>
        {entries.map(([key, each]) => (
          <Node key={key} name={key} value={each} depth={depth + 1} />
        ))}
      </div>
      {close}
    </details>
  );
}
