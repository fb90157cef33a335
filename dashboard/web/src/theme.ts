import { Button, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

/** Shade 7 is the accent of the light theme, shade 4 that of the dark one; the rest steps between them. */
const signal: MantineColorsTuple = [
  "#e7edfb",
  "#c9d7f6",
  "#a3c4f7",
  "#76b5f6",
  "#4fa8f5",
  "#2f78d8",
  "#1d55c4",
  "#103db0",
  "#0d3291",
  "#0a2872",
];

const alarm: MantineColorsTuple = [
  "#fbeae7",
  "#f6cfc8",
  "#ffb09f",
  "#ff8265",
  "#ff5c3a",
  "#e0431f",
  "#c93316",
  "#b3260f",
  "#8f1e0c",
  "#6e1709",
];

/** Mantine takes the greys of its parts from here; index 6 is our dark surface, 7 the dark page. */
const dark: MantineColorsTuple = [
  "#e6eaf0",
  "#a7b0bc",
  "#8d949e",
  "#66707c",
  "#2b333d",
  "#232b35",
  "#1b2129",
  "#12161c",
  "#0d1116",
  "#090c10",
];

const gray: MantineColorsTuple = [
  "#f6f8fa",
  "#eef1f4",
  "#e4e8ec",
  "#d8dee4",
  "#b9c1ca",
  "#838d98",
  "#63686f",
  "#57606a",
  "#32383f",
  "#1b1f24",
];

export const theme = createTheme({
  primaryColor: "signal",
  primaryShade: { light: 7, dark: 4 },
  colors: { signal, alarm, dark, gray },
  fontFamily: "var(--tc-font)",
  fontFamilyMonospace: "var(--tc-mono)",
  defaultRadius: "sm",
  radius: { xs: "4px", sm: "4px", md: "6px", lg: "6px", xl: "6px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  fontSizes: { xs: "12px", sm: "13px", md: "13px", lg: "15px", xl: "18px" },
  lineHeights: { xs: "1.4", sm: "1.5385", md: "1.5385", lg: "1.5", xl: "1.4" },
  headings: { fontWeight: "600" },
  respectReducedMotion: true,
  focusRing: "auto",
  // By name, so that the theme does not bring parts along that the first page does not need.
  components: {
    // Mantine picks the text on a filled part for the light theme only; ours comes from the tokens.
    Button: Button.extend({
      defaultProps: { size: "xs" },
      vars: (_, { variant = "filled" }) => ({
        root: variant === "filled" ? { "--button-color": "var(--tc-on-accent)" } : {},
      }),
    }),
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, transitionProps: { duration: 80 } } },
    Popover: { defaultProps: { shadow: "md", transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { transitionProps: { duration: 80 }, centered: true } },
  },
});

const shared = {
  "--mantine-color-body": "var(--tc-bg)",
  "--mantine-color-text": "var(--tc-ink)",
  "--mantine-color-dimmed": "var(--tc-ink-2)",
  "--mantine-color-placeholder": "var(--tc-ink-2)",
  "--mantine-color-default": "var(--tc-raised)",
  "--mantine-color-default-hover": "var(--tc-hover)",
  "--mantine-color-default-color": "var(--tc-ink)",
  "--mantine-color-default-border": "var(--tc-line)",
  "--mantine-color-anchor": "var(--tc-accent)",
  "--mantine-color-error": "var(--tc-critical)",
  "--mantine-shadow-md": "var(--tc-shadow)",
  "--mantine-shadow-sm": "var(--tc-shadow)",
  "--mantine-shadow-xs": "none",
};

/** Lets Mantine's parts speak in our tokens, so that there is one palette. */
export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
