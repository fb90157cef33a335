import type { ServiceSummary } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { type Mark, SeverityMark } from "./severity-mark.tsx";

const MARKS: Record<ServiceSummary["state"], Mark> = {
  starting: "pending",
  healthy: "ok",
  degraded: "warning",
  silent: "muted",
  gone: "muted",
};

export function ServiceState({ state }: { state: ServiceSummary["state"] }) {
  const { t } = useTranslation();
  return <SeverityMark mark={MARKS[state]} text={t(`services.state.${state}`)} />;
}

const ORDER: readonly ServiceSummary["state"][] = ["degraded", "silent", "gone", "starting", "healthy"];

/** The services by need of attention: state first, then error ratio, then traffic. */
export function byAttention(services: readonly ServiceSummary[]): ServiceSummary[] {
  return services.toSorted(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.errorRatio - a.errorRatio || b.rate - a.rate,
  );
}

export const needsAttention = ({ state }: ServiceSummary): boolean => state !== "healthy" && state !== "starting";
