import { useTranslation } from "react-i18next";
import classes from "./attribute-table.module.css";

type OnFilter = (key: string, value: string, exclude: boolean) => void;

/** Attributes by key, nested ones with dotted keys; with `onFilter` each can be asked for or left out. */
export function AttributeTable({
  attributes,
  prefix = "",
  onFilter,
}: {
  attributes: Readonly<Record<string, unknown>>;
  /** Goes before the keys in a filter: `resource.` */
  prefix?: string;
  onFilter?: OnFilter;
}) {
  const { t } = useTranslation();
  const rows = flatten(attributes);
  if (rows.length === 0) return <p className={classes["none"]}>{t("state.none")}</p>;
  return (
    <dl className={classes["table"]}>
      {rows.map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>
            <span>{value}</span>
            {onFilter !== undefined && (
              <span className={classes["tools"]}>
                <button
                  type="button"
                  aria-label={t("attributes.include", { key, value })}
                  title={t("attributes.include", { key, value })}
                  onClick={() => onFilter(prefix + key, value, false)}
                >
                  =
                </button>
                <button
                  type="button"
                  aria-label={t("attributes.exclude", { key, value })}
                  title={t("attributes.exclude", { key, value })}
                  onClick={() => onFilter(prefix + key, value, true)}
                >
                  ≠
                </button>
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** `{ a: { b: 1 } }` → `[["a.b", "1"]]`, in the order of the keys; lists stay whole. */
export function flatten(attributes: Readonly<Record<string, unknown>>, path = ""): [string, string][] {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]): [string, string][] => {
      const name = path === "" ? key : `${path}.${key}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array))
        return flatten(value as Record<string, unknown>, name);
      return [[name, textOf(value)]];
    });
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each)) ?? "";
}
