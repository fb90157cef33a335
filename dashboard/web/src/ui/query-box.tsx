import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

/** Milliseconds of rest after which a live box applies what is typed. */
const REST_MS = 250;

/** The search box of a page; `/` goes there. Enter applies, Escape gives back what was applied; `live` also applies after a short rest. */
export function QueryBox({
  value,
  onCommit,
  label,
  placeholder,
  error,
  live = false,
}: {
  value: string;
  onCommit: (value: string) => void;
  label: string;
  placeholder: string;
  error?: ReactNode;
  live?: boolean;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(value);
  const [applied, setApplied] = useState(value);
  if (applied !== value) {
    setApplied(value);
    setDraft(value);
  }
  useEffect(() => {
    if (!live || draft === value) return undefined;
    const timer = setTimeout(() => onCommit(draft), REST_MS);
    return () => clearTimeout(timer);
  }, [live, draft, value, onCommit]);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onCommit(draft);
      }}
    >
      <TextInput
        data-search
        size="xs"
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={draft}
        error={error}
        spellCheck={false}
        autoComplete="off"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={
          draft === "" ? undefined : (
            <CloseButton
              size="xs"
              aria-label={t("state.clearFilter")}
              onClick={() => {
                setDraft("");
                onCommit("");
              }}
            />
          )
        }
        styles={{ input: { fontFamily: "var(--tc-mono)", fontSize: "12.5px" } }}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setDraft(value);
          event.currentTarget.blur();
        }}
      />
    </form>
  );
}
