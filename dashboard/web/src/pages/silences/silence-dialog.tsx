import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { compilePattern, type Labels, type Matcher, parseDuration } from "@tocsin/model";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type GettableSilence, matchersOf, useAlerts, useSaveSilence } from "../../api/alertmanager.ts";
import { useFormatTime } from "../../format/time.ts";
import { useNow } from "../../ui/use-now.ts";
import { MatchPreview } from "./match-preview.tsx";
import { MatcherBuilder } from "./matcher-builder.tsx";
import classes from "./silence-dialog.module.css";

/** What a new silence starts from: labels to match, or an older silence to change or to make again. */
export type SilenceSeed = { labels: Labels } | { matchers: Matcher[] } | { silence: GettableSilence; again: boolean };

const AUTHOR_KEY = "tocsin.author";
const QUICK = ["30m", "2h", "8h", "1d"];

/** Creates or changes a silence; what it would mute is counted while it is written. */
export function SilenceDialog({ seed, onClose }: { seed: SilenceSeed; onClose: () => void }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const now = useNow(10_000);
  const alerts = useAlerts();
  const save = useSaveSilence();
  const [matchers, setMatchers] = useState(() => seedMatchers(seed));
  const [duration, setDuration] = useState("2h");
  const [author, setAuthor] = useState(() => localStorage.getItem(AUTHOR_KEY) ?? "");
  const [comment, setComment] = useState("silence" in seed ? seed.silence.comment : "");
  const [tried, setTried] = useState(false);
  const ms = durationOf(duration);
  const problems = {
    matchers: matchers.length === 0 || matchers.some((matcher) => problemOf(matcher) !== undefined),
    onlyEmpty: matchers.every(matchesEmpty),
    duration: ms === undefined,
    author: author.trim() === "",
    comment: comment.trim() === "",
  };
  const submit = () => {
    setTried(true);
    if (Object.values(problems).includes(true) || ms === undefined) return;
    localStorage.setItem(AUTHOR_KEY, author.trim());
    const id = "silence" in seed && !seed.again ? { id: seed.silence.id } : {};
    const startsAt = new Date();
    save.mutate(
      {
        ...id,
        matchers,
        startsAt: startsAt.toISOString(),
        endsAt: new Date(startsAt.getTime() + ms).toISOString(),
        createdBy: author.trim(),
        comment: comment.trim(),
      },
      { onSuccess: onClose },
    );
  };
  const editing = "silence" in seed && !seed.again;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={editing ? t("silences.edit") : t("silences.create")}
      closeButtonProps={{ "aria-label": t("state.close") }}
    >
      <form
        className={classes["form"]}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <MatcherBuilder matchers={matchers} onChange={setMatchers} alerts={alerts.data ?? []} />
        <MatchPreview matchers={matchers} alerts={alerts.data ?? []} onlyEmpty={problems.onlyEmpty} />
        <div className={classes["row"]}>
          <TextInput
            size="xs"
            label={t("silences.duration")}
            value={duration}
            error={problems.duration ? t("silences.badDuration") : undefined}
            description={ms === undefined ? undefined : t("silences.until2", { time: format(now + ms, "dateMinute") })}
            inputWrapperOrder={["label", "input", "description", "error"]}
            onChange={(event) => setDuration(event.currentTarget.value)}
          />
          <div className={classes["quick"]}>
            {QUICK.map((each) => (
              <Button key={each} variant="default" aria-pressed={duration === each} onClick={() => setDuration(each)}>
                {each}
              </Button>
            ))}
          </div>
        </div>
        <TextInput
          size="xs"
          label={t("silences.author")}
          autoComplete="name"
          value={author}
          error={tried && problems.author ? t("silences.required") : undefined}
          onChange={(event) => setAuthor(event.currentTarget.value)}
        />
        <Textarea
          size="xs"
          label={t("silences.comment")}
          placeholder={t("silences.commentPlaceholder")}
          autosize
          minRows={2}
          value={comment}
          error={tried && problems.comment ? t("silences.required") : undefined}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        {save.error !== null && (
          <p role="alert" className={classes["error"]}>
            {t("silences.failed", { message: save.error.message })}
          </p>
        )}
        <div className={classes["buttons"]}>
          <Button variant="default" onClick={onClose}>
            {t("state.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={problems.matchers || problems.onlyEmpty}>
            {t("silences.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function seedMatchers(seed: SilenceSeed): Matcher[] {
  if ("silence" in seed) return matchersOf(seed.silence);
  if ("matchers" in seed) return seed.matchers;
  const matchers = Object.entries(seed.labels).map(([name, value]) => ({ name, type: "=" as const, value }));
  return matchers.length > 0 ? matchers : [{ name: "alertname", type: "=", value: "" }];
}

function durationOf(text: string): number | undefined {
  try {
    const ms = parseDuration(text.trim());
    return ms > 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}

/** Why a matcher cannot stand as it is: `name`, or the reason why its pattern is none. */
export function problemOf({ name, type, value }: Matcher): { field: "name" | "value"; message: string } | undefined {
  if (name.trim() === "") return { field: "name", message: "" };
  if (type === "=" || type === "!=") return undefined;
  try {
    compilePattern(value);
    return undefined;
  } catch (error) {
    return { field: "value", message: error instanceof Error ? error.message : String(error) };
  }
}

/** Alertmanager refuses a silence all of whose matchers accept a missing label. */
function matchesEmpty(matcher: Matcher): boolean {
  if (problemOf(matcher) !== undefined) return false;
  switch (matcher.type) {
    case "=":
      return matcher.value === "";
    case "!=":
      return matcher.value !== "";
    case "=~":
      return compilePattern(matcher.value).matches("");
    case "!~":
      return !compilePattern(matcher.value).matches("");
  }
}
