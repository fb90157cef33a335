import { Button, Popover, TextInput } from "@mantine/core";
import {
  IconArrowBackUp,
  IconCheck,
  IconChevronLeft,
  IconChevronRight,
  IconClock,
  IconLink,
  IconZoomOut,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type TimeStyle, useFormatTime, zoneName } from "../../format/time.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import {
  absoluteRange,
  checkRange,
  QUICK_RANGES,
  quickRangeOf,
  type Range,
  resolveRange,
  shiftRange,
  zoomOut,
} from "../../url/range.ts";
import { useRange, useZone } from "../../url/use-range.ts";
import { useSpan } from "../../url/use-span.ts";
import { useNow } from "../use-now.ts";
import classes from "./range-picker.module.css";

/** The stretch of time the page shows: quick ranges, free input, moving, zooming, and a link that stays put. */
export function RangePicker() {
  const { t } = useTranslation();
  const { range, setRange } = useRange();
  const [opened, setOpened] = useState(false);
  const text = useRangeText(range);
  const zone = useZoneName();
  const copy = useFrozenLink(range);
  const pick = (next: Range) => {
    setRange(next);
    setOpened(false);
  };
  const shift = (by: -1 | 1) => setRange(shiftRange(range, by, Date.now()));
  const zoom = () => setRange(zoomOut(range, Date.now()));
  useShortcuts([
    { keys: "d", label: "keys.range", scope: "everywhere", run: () => setOpened(true) },
    { keys: "z", label: "keys.zoomOut", scope: "everywhere", run: zoom },
    { keys: "shift+arrowleft", label: "keys.earlier", scope: "everywhere", run: () => shift(-1) },
    { keys: "shift+arrowright", label: "keys.later", scope: "everywhere", run: () => shift(1) },
    { keys: "y", label: "keys.frozen", scope: "everywhere", run: copy.run },
  ]);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={320} trapFocus>
      <Popover.Target>
        <button
          type="button"
          className={classes["button"]}
          aria-haspopup="dialog"
          aria-label={t("range.button", { range: text, zone })}
          onClick={() => setOpened(!opened)}
        >
          <IconClock size={16} stroke={1.6} aria-hidden />
          <span className={classes["text"]}>{text}</span>
          <span className={classes["zone"]}>{zone}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t("range.label")}>
        <div className={classes["moves"]}>
          <Move label={t("range.earlier")} icon={<IconChevronLeft size={16} />} onClick={() => shift(-1)} />
          <Move label={t("range.later")} icon={<IconChevronRight size={16} />} onClick={() => shift(1)} />
          <Move label={t("range.zoomOut")} icon={<IconZoomOut size={16} />} onClick={zoom} />
          <Move
            label={copy.done ? t("range.copied") : t("range.copyFrozen")}
            icon={copy.done ? <IconCheck size={16} /> : <IconLink size={16} />}
            onClick={copy.run}
          />
        </div>
        <h2 className={classes["heading"]}>{t("range.quick")}</h2>
        <div className={classes["quick"]}>
          {QUICK_RANGES.map((quick) => (
            <button
              key={quick}
              type="button"
              aria-pressed={quickRangeOf(range) === quick}
              onClick={() => pick({ from: `now-${quick}`, to: "now" })}
            >
              {quick}
            </button>
          ))}
        </div>
        <CustomRange key={`${range.from} ${range.to}`} range={range} onApply={pick} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Move({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <button type="button" aria-label={label} title={label} onClick={onClick}>
      {icon}
    </button>
  );
}

function CustomRange({ range, onApply }: { range: Range; onApply: (range: Range) => void }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(range);
  const now = useNow(10_000);
  const verdict = checkRange(draft, now);
  const errorOf = (field: "from" | "to") => {
    if (verdict.status === "unreadable" && verdict.field === field) return t("range.unreadable");
    return verdict.status === "reversed" && field === "to" ? t("range.reversed") : undefined;
  };
  return (
    <form
      className={classes["custom"]}
      onSubmit={(event) => {
        event.preventDefault();
        if (verdict.status === "ok") onApply({ from: draft.from.trim(), to: draft.to.trim() });
      }}
    >
      <h2 className={classes["heading"]}>{t("range.custom")}</h2>
      {(["from", "to"] as const).map((field) => (
        <TextInput
          key={field}
          size="xs"
          label={t(`range.${field}`)}
          value={draft[field]}
          error={errorOf(field)}
          onChange={(event) => setDraft({ ...draft, [field]: event.currentTarget.value })}
        />
      ))}
      <p className="dim">{t("range.hint")}</p>
      <Button type="submit" disabled={verdict.status !== "ok"} leftSection={<IconArrowBackUp size={14} />}>
        {t("range.apply")}
      </Button>
    </form>
  );
}

/** `Last 15m`, or both ends in the page's zone. */
function useRangeText(range: Range): string {
  const { t } = useTranslation();
  const format = useFormatTime();
  const { fromMs, toMs } = useSpan();
  const sameDay = format(fromMs, "day") === format(toMs, "day");
  const quick = quickRangeOf(range);
  if (quick !== undefined) return t("range.last", { duration: quick });
  const style: TimeStyle = toMs - fromMs < 600_000 ? "dateTime" : "dateMinute";
  const endStyle: TimeStyle = toMs - fromMs < 600_000 ? "time" : "minute";
  return t("range.between", { from: format(fromMs, style), to: format(toMs, sameDay ? endStyle : style) });
}

function useZoneName(): string {
  const { zone } = useZone();
  const { i18n } = useTranslation();
  const { toMs } = useSpan();
  return zoneName(zone, i18n.language, toMs);
}

/** Copies the page's address with the range written out as two points in time. */
function useFrozenLink(range: Range): { done: boolean; run: () => void } {
  const [done, setDone] = useState(false);
  const run = () => {
    const { fromMs, toMs } = resolveRange(range, Date.now());
    const url = new URL(window.location.href);
    for (const [name, value] of Object.entries(absoluteRange(fromMs, toMs))) url.searchParams.set(name, value);
    void navigator.clipboard.writeText(url.href).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 2000);
    });
  };
  return { done, run };
}
