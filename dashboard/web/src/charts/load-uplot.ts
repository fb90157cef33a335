type UPlot = typeof import("uplot");

let loading: Promise<UPlot> | undefined;

/**
 * Loads uPlot, once. It makes a number format from navigator.language while it is imported and throws on names like
 * `en-US@posix` (mended after 1.6.32), so such a name is put right first.
 */
export function loadUplot(): Promise<UPlot> {
  loading ??= (async () => {
    if (!isLocale(navigator.language))
      Object.defineProperty(navigator, "language", { value: navigator.language.split(/[@.]/)[0], configurable: true });
    return (await import("uplot")).default;
  })();
  return loading;
}

function isLocale(name: string): boolean {
  try {
    return Intl.getCanonicalLocales(name).length > 0;
  } catch {
    return false;
  }
}
