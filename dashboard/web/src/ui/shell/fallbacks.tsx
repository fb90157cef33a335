import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useRouteError } from "react-router";
import { EmptyState } from "../panel.tsx";

export function NotFound() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return (
    <EmptyState
      title={t("app.notFound")}
      why={t("app.notFoundWhy", { path: pathname })}
      action={
        <Button component={Link} to="/" variant="default">
          {t("app.toNow")}
        </Button>
      }
    />
  );
}

/** Takes the place of a page that threw; the shell around it goes on working. */
export function PageCrash() {
  const { t } = useTranslation();
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert">
      <EmptyState
        title={t("app.crashed")}
        why={t("app.crashedWhy", { message })}
        action={
          <Button variant="default" onClick={() => window.location.reload()}>
            {t("app.reload")}
          </Button>
        }
      />
    </div>
  );
}
