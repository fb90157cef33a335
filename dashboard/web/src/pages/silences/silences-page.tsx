import { Button, Modal, SegmentedControl } from "@mantine/core";
import { parseMatchers } from "@tocsin/model";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import {
  type GettableAlert,
  type GettableSilence,
  matchersOf,
  useAlerts,
  useExpireSilence,
  useSaveSilence,
  useSilences,
} from "../../api/alertmanager.ts";
import { formatMs } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useSearch } from "../../url/use-search.ts";
import { matchedBy } from "./match-preview.tsx";
import { SilenceDialog, type SilenceSeed } from "./silence-dialog.tsx";
import classes from "./silences-page.module.css";

const STATES = ["active", "pending", "expired"] as const;
const Search = z.object({
  state: z.enum(STATES).catch("active"),
  /** Matchers with which a new silence is opened: `{service="sms"}`. */
  m: z.string().catch(""),
});

/** The silences by state; made, extended, made again and expired here. */
export function Component() {
  const { t } = useTranslation();
  const [{ state, m }, setSearch] = useSearch(Search);
  const [seed, setSeed] = useState<SilenceSeed | undefined>(() => seedOf(m));
  const [expiring, setExpiring] = useState<GettableSilence>();
  const silences = useSilences();
  const alerts = useAlerts().data ?? [];
  return (
    <div className={classes["page"]}>
      <div className={classes["bar"]}>
        <SegmentedControl
          size="xs"
          aria-label={t("alerts.state")}
          value={state}
          onChange={(next) => setSearch({ state: STATES.find((each) => each === next) ?? "active" })}
          data={STATES.map((each) => {
            const count = (silences.data ?? []).filter(({ status }) => status.state === each).length;
            return {
              value: each,
              label: t("alerts.stateCount", { state: t(`silences.state.${each}`), count }),
            };
          })}
        />
        <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setSeed({ labels: {} })}>
          {t("silences.create")}
        </Button>
      </div>
      <QueryView query={silences}>
        {(all) => {
          const shown = all.filter((silence) => silence.status.state === state).toSorted(bySoonestEnd);
          if (shown.length === 0)
            return (
              <EmptyState
                title={t("silences.none", { state: t(`silences.state.${state}`).toLowerCase() })}
                why={t("silences.noneWhy")}
              />
            );
          return (
            <ul className={classes["list"]}>
              {shown.map((silence) => (
                <SilenceRow
                  key={silence.id}
                  silence={silence}
                  alerts={alerts}
                  onEdit={setSeed}
                  onExpire={setExpiring}
                />
              ))}
            </ul>
          );
        }}
      </QueryView>
      {seed !== undefined && (
        <SilenceDialog
          seed={seed}
          onClose={() => {
            setSeed(undefined);
            setSearch({ m: "" });
          }}
        />
      )}
      {expiring !== undefined && (
        <ExpireDialog silence={expiring} alerts={alerts} onClose={() => setExpiring(undefined)} />
      )}
    </div>
  );
}

/** What a link asked to silence; an empty form when its matchers cannot be read. */
function seedOf(matchers: string): SilenceSeed | undefined {
  if (matchers === "") return undefined;
  try {
    return { matchers: parseMatchers(matchers).matchers };
  } catch {
    return { labels: {} };
  }
}

function SilenceRow({
  silence,
  alerts,
  onEdit,
  onExpire,
}: {
  silence: GettableSilence;
  alerts: readonly GettableAlert[];
  onEdit: (seed: SilenceSeed) => void;
  onExpire: (silence: GettableSilence) => void;
}) {
  const { t } = useTranslation();
  const save = useSaveSilence();
  const matchers = matchersOf(silence);
  const muted = matchedBy(matchers, alerts).length;
  const expired = silence.status.state === "expired";
  const extend = () =>
    save.mutate({ ...silence, matchers, endsAt: new Date(Date.parse(silence.endsAt) + 3_600_000).toISOString() });
  return (
    <li>
      <div className={classes["what"]}>
        <strong>{silence.comment}</strong>
        <span className={classes["matchers"]}>
          {matchers.map(({ name, type, value }) => (
            <code key={`${name}${type}${value}`}>{`${name}${type}${JSON.stringify(value)}`}</code>
          ))}
        </span>
        <span className={classes["meta"]}>
          <Lifetime silence={silence} />
          <span>{t("silences.by", { author: silence.createdBy })}</span>
          {!expired && <span>{muted === 0 ? t("silences.affectsNone") : t("silences.affects", { count: muted })}</span>}
        </span>
        {save.error !== null && <p role="alert">{t("silences.failed", { message: save.error.message })}</p>}
      </div>
      <div className={classes["actions"]}>
        {expired ? (
          <Button variant="default" onClick={() => onEdit({ silence, again: true })}>
            {t("silences.recreate")}
          </Button>
        ) : (
          <>
            <Button variant="default" onClick={() => onEdit({ silence, again: false })}>
              {t("silences.edit")}
            </Button>
            <Button variant="default" loading={save.isPending} onClick={extend}>
              {t("silences.extend")}
            </Button>
            <Button
              variant="default"
              aria-label={t("silences.expireNamed", { comment: silence.comment })}
              onClick={() => onExpire(silence)}
            >
              {t("silences.expire")}
            </Button>
          </>
        )}
      </div>
    </li>
  );
}

function Lifetime({ silence }: { silence: GettableSilence }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const now = useNow(1000);
  if (silence.status.state === "expired")
    return <span>{t("silences.ended", { time: format(silence.endsAt, "dateMinute") })}</span>;
  if (silence.status.state === "pending")
    return <span>{t("silences.starts", { time: format(silence.startsAt, "dateMinute") })}</span>;
  const left = Math.max(0, Math.round((Date.parse(silence.endsAt) - now) / 1000) * 1000);
  return (
    <>
      <span>{t("silences.until", { time: format(silence.endsAt, "dateMinute") })}</span>
      <span>{t("silences.left", { duration: formatMs(left) })}</span>
    </>
  );
}

function ExpireDialog({
  silence,
  alerts,
  onClose,
}: {
  silence: GettableSilence;
  alerts: readonly GettableAlert[];
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const expire = useExpireSilence();
  const muted = matchedBy(matchersOf(silence), alerts).length;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("silences.expireTitle")}
      closeButtonProps={{ "aria-label": t("state.close") }}
    >
      <p>{silence.comment}</p>
      <p className="dim">{muted === 0 ? t("silences.expireNoEffect") : t("silences.expireEffect", { count: muted })}</p>
      {expire.error !== null && <p role="alert">{t("silences.failed", { message: expire.error.message })}</p>}
      <div className={classes["buttons"]}>
        <Button variant="default" onClick={onClose}>
          {t("state.cancel")}
        </Button>
        <Button
          color="alarm"
          loading={expire.isPending}
          onClick={() => expire.mutate(silence.id, { onSuccess: onClose })}
        >
          {t("silences.expire")}
        </Button>
      </div>
    </Modal>
  );
}

function bySoonestEnd(a: GettableSilence, b: GettableSilence): number {
  const order = Date.parse(a.endsAt) - Date.parse(b.endsAt);
  return a.status.state === "expired" ? -order : order;
}
