import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import table from "./table.module.css";

/** The head of a column that can be sorted by: pressed once, the greatest come first; again, the least. */
export function SortHeader({
  column,
  label,
  sort,
  onSort,
  numeric = false,
}: {
  column: string;
  label: string;
  /** `rate` or `-rate`; the minus puts the greatest first. */
  sort: string;
  onSort: (sort: string) => void;
  numeric?: boolean;
}) {
  const direction = sort === column ? "ascending" : sort === `-${column}` ? "descending" : undefined;
  return (
    <th className={numeric ? table["num"] : undefined} aria-sort={direction}>
      <button
        type="button"
        className={table["sort"]}
        onClick={() => onSort(direction === "descending" ? column : `-${column}`)}
      >
        {label}
        {direction === "ascending" && <IconArrowUp size={12} aria-hidden />}
        {direction === "descending" && <IconArrowDown size={12} aria-hidden />}
      </button>
    </th>
  );
}
