import { Button, Tabs } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import type { InboxDetail } from "@tocsin/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError } from "../../api/client.ts";
import { useMessage } from "../../api/inbox.ts";
import { useFormatTime } from "../../format/time.ts";
import { styleNonce } from "../../nonce.ts";
import { JsonView } from "../../ui/json-view.tsx";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { useCrumb } from "../../ui/shell/crumb.ts";
import table from "../../ui/table.module.css";
import { useLink } from "../../url/use-search.ts";
import classes from "./inbox-page.module.css";
import { frameDocument } from "./mail-frame.ts";

/** One message, whole: as it looks, as text, and its headers. */
export function MessageView({ id }: { id: string }) {
  const { t } = useTranslation();
  const link = useLink();
  const message = useMessage(id);
  useCrumb(message.data?.subject);
  return (
    <>
      <Button
        component={Link}
        to={link("/inbox")}
        variant="subtle"
        size="compact-xs"
        className={classes["back"] ?? ""}
        leftSection={<IconArrowLeft size={14} aria-hidden />}
      >
        {t("inbox.back")}
      </Button>
      {message.error instanceof ApiError && message.error.status === 404 ? (
        <EmptyState title={t("inbox.gone")} why={t("inbox.goneWhy")} />
      ) : (
        <QueryView query={message} rows={8}>
          {(detail) => <Message detail={detail} />}
        </QueryView>
      )}
    </>
  );
}

function Message({ detail }: { detail: InboxDetail }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const json = useMemo(() => parsedBody(detail), [detail]);
  const first = detail.html !== null ? "html" : json !== undefined ? "json" : "text";
  return (
    <article className={classes["message"]}>
      <header>
        <h2>{detail.subject}</h2>
        <p className="dim">
          {t(detail.kind === "email" ? "inbox.to" : "inbox.path", { to: detail.to })}
          {" · "}
          <time dateTime={detail.receivedAt}>{format(detail.receivedAt, "dateTime")}</time>
        </p>
      </header>
      <Tabs defaultValue={first} keepMounted={false} className={classes["tabs"] ?? ""}>
        <Tabs.List>
          {detail.html !== null && <Tabs.Tab value="html">{t("inbox.html")}</Tabs.Tab>}
          {json !== undefined && <Tabs.Tab value="json">{t("inbox.json")}</Tabs.Tab>}
          <Tabs.Tab value="text">{json === undefined ? t("inbox.text") : t("inbox.raw")}</Tabs.Tab>
          <Tabs.Tab value="headers">{t("inbox.headers")}</Tabs.Tab>
        </Tabs.List>
        {detail.html !== null && (
          <Tabs.Panel value="html" className={classes["framed"] ?? ""}>
            <iframe
              title={t("inbox.frame", { subject: detail.subject })}
              sandbox="allow-popups allow-popups-to-escape-sandbox"
              srcDoc={frameDocument(detail.html, styleNonce())}
            />
          </Tabs.Panel>
        )}
        {json !== undefined && (
          <Tabs.Panel value="json" className={classes["scroll"] ?? ""}>
            <JsonView value={json} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="text" className={classes["scroll"] ?? ""}>
          <pre className={classes["text"]}>{detail.body}</pre>
        </Tabs.Panel>
        <Tabs.Panel value="headers" className={classes["scroll"] ?? ""}>
          <table className={table["table"]}>
            <thead>
              <tr>
                <th>{t("inbox.header")}</th>
                <th>{t("inbox.value")}</th>
              </tr>
            </thead>
            <tbody>
              {detail.headers.map(({ name, value }, index) => (
                <tr key={`${name}${index}`}>
                  <td className="mono">{name}</td>
                  <td className={`mono ${classes["wrap"] ?? ""}`}>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Tabs.Panel>
      </Tabs>
    </article>
  );
}

/** A webhook's body as a value; undefined when it is not JSON. */
function parsedBody({ kind, body }: InboxDetail): unknown {
  if (kind !== "webhook") return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
