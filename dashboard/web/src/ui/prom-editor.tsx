import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useEffectEvent, useRef } from "react";
import { styleNonce } from "../nonce.ts";

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--tc-accent)", fontWeight: "500" },
  { tag: tags.function(tags.variableName), color: "var(--tc-accent)" },
  { tag: tags.labelName, color: "var(--tc-ok-ink)" },
  { tag: [tags.string, tags.number], color: "var(--tc-warning-ink)" },
  { tag: [tags.operator, tags.paren, tags.bracket], color: "var(--tc-ink-2)" },
  { tag: tags.comment, color: "var(--tc-muted)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { fontSize: "12.5px", backgroundColor: "var(--tc-raised)", color: "var(--tc-ink)" },
  "&.cm-focused": { outline: "2px solid var(--tc-focus)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "var(--tc-mono)", padding: "6px 0", caretColor: "var(--tc-ink)" },
  ".cm-line": { padding: "0 10px" },
  ".cm-placeholder": { color: "var(--tc-ink-2)" },
  ".cm-cursor": { borderLeftColor: "var(--tc-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--tc-accent) 28%, transparent)",
  },
  ".cm-matchingBracket": { outline: "1px solid var(--tc-line-strong)", backgroundColor: "transparent" },
  ".cm-tooltip": { backgroundColor: "var(--tc-raised)", color: "var(--tc-ink)", border: "1px solid var(--tc-line)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--tc-accent-soft)",
    color: "var(--tc-ink)",
  },
  ".cm-completionDetail": { color: "var(--tc-ink-2)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--tc-critical)" },
});

/** A PromQL field: colours, completion of metrics and labels that exist, mistakes underlined. Enter runs, Shift+Enter breaks the line. */
export function PromEditor({
  value,
  label,
  hint,
  onChange,
  onRun,
}: {
  value: string;
  label: string;
  hint: string;
  onChange: (value: string) => void;
  onRun: (value: string) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const labels = useRef(new Compartment());
  const changed = useEffectEvent(onChange);
  const run = useEffectEvent(onRun);
  const initial = useEffectEvent(() => ({ value, label, hint }));
  useEffect(() => {
    if (host.current === null) return undefined;
    const promql = new PromQLExtension().setComplete({ remote: { url: "", httpMethod: "GET" } });
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: initial().value,
        extensions: [
          ...(styleNonce() === undefined ? [] : [EditorView.cspNonce.of(styleNonce() ?? "")]),
          promql.asExtension(),
          syntaxHighlighting(colours),
          look,
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          EditorView.lineWrapping,
          labels.current.of(attributesOf(initial())),
          keymap.of([...completionKeymap, ...closeBracketsKeymap]),
          Prec.low(
            keymap.of([
              { key: "Enter", run: ({ state }) => (run(state.doc.toString()), true) },
              {
                key: "Shift-Enter",
                run: (target) => (target.dispatch(target.state.replaceSelection("\n")), true),
              },
              { key: "Escape", run: (target) => (target.contentDOM.blur(), true) },
            ]),
          ),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      promql.destroy();
    };
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: labels.current.reconfigure(attributesOf({ label, hint })) });
  }, [label, hint]);
  return <div ref={host} />;
}

function attributesOf({ label, hint }: { label: string; hint: string }) {
  return [
    EditorView.contentAttributes.of({ "aria-label": label, "data-search": "", spellcheck: "false" }),
    placeholder(hint),
  ];
}
