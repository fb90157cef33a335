import { useTranslation } from "react-i18next";
import classes from "./severity-mark.module.css";

export type Mark = "critical" | "warning" | "info" | "pending" | "ok" | "muted";

/** The mark for the value of an alert's `severity` label; what we do not know counts as information. */
export function markOfSeverity(severity: string | undefined): "critical" | "warning" | "info" {
  if (severity === undefined) return "info";
  if (/^(critical|page|error|fatal|emergency|high|p1)$/i.test(severity)) return "critical";
  return /^(warn|warning|ticket|medium|p2)$/i.test(severity) ? "warning" : "info";
}

const SHAPES: Record<Mark, React.ReactNode> = {
  critical: <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor" />,
  warning: <path d="M8 1.2 15.4 14.5H.6z" fill="currentColor" />,
  info: <circle cx="8" cy="8" r="6.5" fill="currentColor" />,
  pending: <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="2.2" strokeDasharray="3 2" />,
  ok: <path d="m2.5 8.5 3.5 3.5 7.5-8" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />,
  muted: (
    <path
      d="M1.75 3.75h12.5v8.5H1.75zM4 12l5.5-8M8.5 12 14 4"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinejoin="round"
    />
  ),
};

/** Colour, shape and word: the three ways a severity is always told. `word={false}` keeps the word for screen readers. */
export function SeverityMark({ mark, text, word = true }: { mark: Mark; text?: string; word?: boolean }) {
  const { t } = useTranslation();
  const label = text ?? t(`severity.${mark}`);
  return (
    <span className={classes["root"]}>
      <svg viewBox="0 0 16 16" className={classes["shape"]} data-mark={mark} aria-hidden="true">
        {SHAPES[mark]}
      </svg>
      <span className={word ? undefined : "visuallyHidden"}>{label}</span>
    </span>
  );
}
