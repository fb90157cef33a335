import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client.ts";
import { formatMs } from "../format/quantity.ts";
import classes from "./panel.module.css";
import { useNow } from "./use-now.ts";

export interface EmptyText {
  title: string;
  why: string;
  action?: ReactNode;
}

/** A titled box on a page. */
export function Panel({
  title,
  actions,
  children,
  flush = false,
  className,
}: {
  title: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Whether the body reaches the border, as tables and lists do. */
  flush?: boolean;
  className?: string | undefined;
}) {
  const id = useId();
  return (
    <section className={[classes["panel"], className].filter(Boolean).join(" ")} aria-labelledby={id}>
      <header className={classes["header"]}>
        <h2 id={id}>{title}</h2>
        {actions !== undefined && <div className={classes["actions"]}>{actions}</div>}
      </header>
      <div className={flush ? classes["flush"] : classes["body"]}>{children}</div>
    </section>
  );
}

/**
 * What a query has to show: a late skeleton while it loads, a cause and a retry when it failed, a reason and one action
 * when there is nothing, and a badge when what is shown is older than it should be.
 */
export function QueryView<T>({
  query,
  isEmpty,
  empty,
  rows = 4,
  children,
}: {
  query: UseQueryResult<T>;
  isEmpty?: (data: T) => boolean;
  empty?: EmptyText;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data === undefined) {
    if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    return <SkeletonRows rows={rows} />;
  }
  return (
    <>
      {query.isError && <StaleBadge query={query} />}
      {empty !== undefined && isEmpty?.(query.data) === true ? <EmptyState {...empty} /> : children(query.data)}
    </>
  );
}

export function EmptyState({ title, why, action }: EmptyText) {
  return (
    <div className={classes["state"]}>
      <strong>{title}</strong>
      <p className="dim">{why}</p>
      {action}
    </div>
  );
}

export function ErrorState({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const { t } = useTranslation();
  const requestId = error instanceof ApiError ? error.requestId : undefined;
  return (
    <div className={classes["state"]} role="alert">
      <strong>{t("state.failed")}</strong>
      <p className="dim">{t("state.failedWhy", { message: error.message })}</p>
      {requestId !== undefined && <p className="dim mono">{t("state.requestId", { id: requestId })}</p>}
      {onRetry !== undefined && (
        <Button variant="default" onClick={onRetry}>
          {t("state.retry")}
        </Button>
      )}
    </div>
  );
}

function StaleBadge({ query }: { query: UseQueryResult }) {
  const { t } = useTranslation();
  const now = useNow(1000);
  const age = formatMs(Math.max(0, Math.round((now - query.dataUpdatedAt) / 1000) * 1000));
  return (
    <p className={classes["stale"]} role="status">
      <span title={t("state.staleWhy", { message: query.error?.message ?? "" })}>{t("state.stale", { age })}</span>
      <button type="button" onClick={() => void query.refetch()}>
        {t("state.retry")}
      </button>
    </p>
  );
}

/** Grey rows that only show when loading takes longer than 200 ms. */
export function SkeletonRows({ rows = 4 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className={classes["skeleton"]} role="status" aria-label={t("state.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} style={{ width: `${92 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}
