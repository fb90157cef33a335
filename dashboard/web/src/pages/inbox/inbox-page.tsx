import { Button, SegmentedControl } from "@mantine/core";
import type { InboxItem } from "@tocsin/model";
import { IconMail, IconWebhook } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { z } from "zod";
import { ApiError } from "../../api/client.ts";
import { useInbox } from "../../api/inbox.ts";
import { useFormatTime } from "../../format/time.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { useGo, useLink, useSearch } from "../../url/use-search.ts";
import classes from "./inbox-page.module.css";
import { MessageView } from "./message-view.tsx";

const KINDS = ["all", "email", "webhook"] as const;
const Search = z.object({ kind: z.enum(KINDS).catch("all") });

/** What was sent: the e-mails of the built-in SMTP sink and the webhooks, newest first, with a preview. */
export function Component() {
  const { t } = useTranslation();
  const { id } = useParams();
  const link = useLink();
  const inbox = useInbox();
  if (inbox.error instanceof ApiError && inbox.error.status === 404)
    return <EmptyState title={t("inbox.off")} why={t("inbox.offWhy")} />;
  return (
    <div className={classes["page"]} data-open={id !== undefined}>
      <QueryView
        query={inbox}
        isEmpty={({ items }) => items.length === 0 && id === undefined}
        empty={{
          title: t("inbox.none"),
          why: t("inbox.noneWhy"),
          action: (
            <Button component={Link} to={link("/")} variant="default">
              {t("inbox.toBreak")}
            </Button>
          ),
        }}
      >
        {({ items }) => (
          <>
            <MessageList items={items} selected={id} />
            <section className={classes["preview"]} aria-label={t("inbox.message")}>
              {id === undefined ? (
                <EmptyState title={t("inbox.pick")} why={t("inbox.pickWhy")} />
              ) : (
                <MessageView key={id} id={id} />
              )}
            </section>
          </>
        )}
      </QueryView>
    </div>
  );
}

function MessageList({ items, selected }: { items: readonly InboxItem[]; selected: string | undefined }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const link = useLink();
  const go = useGo();
  const [{ kind }, setSearch] = useSearch(Search);
  const shown = items.filter((item) => kind === "all" || item.kind === kind);
  const open = (index: number) => {
    const item = shown[index];
    if (item !== undefined) go(`/inbox/${encodeURIComponent(item.id)}`, kind === "all" ? {} : { kind });
  };
  const [row] = useRowKeys(shown.length, { onOpen: open, onMove: open });
  return (
    <section className={classes["list"]} aria-label={t("inbox.list")}>
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label={t("inbox.kind")}
        value={kind}
        onChange={(next) => setSearch({ kind: KINDS.find((each) => each === next) ?? "all" })}
        data={KINDS.map((each) => ({ value: each, label: t(`inbox.${each}`) }))}
      />
      <ul>
        {shown.map((item, index) => (
          <li key={item.id} data-focused={index === row}>
            <Link
              to={link(`/inbox/${encodeURIComponent(item.id)}`, kind === "all" ? {} : { kind })}
              aria-current={item.id === selected ? "true" : undefined}
            >
              {item.kind === "email" ? (
                <IconMail size={16} stroke={1.6} aria-label={t("inbox.email")} />
              ) : (
                <IconWebhook size={16} stroke={1.6} aria-label={t("inbox.webhook")} />
              )}
              <span>
                <strong>{item.subject}</strong>
                <span className="dim ellipsis">{item.to}</span>
              </span>
              <time dateTime={item.receivedAt} title={item.receivedAt} className="dim">
                {format(item.receivedAt)}
              </time>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
