let nonce: string | undefined;

/** The page's style nonce, for every library that adds style elements; undefined where the page came without one. */
export const styleNonce = (): string | undefined => nonce;

/** Reads the nonce that the server put into the page. `__webpack_nonce__` is where the scroll lock of overlays looks for it. */
export function takeNonce(): void {
  const content = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  nonce = content === "" ? undefined : content;
  Object.assign(globalThis, { __webpack_nonce__: nonce });
}
