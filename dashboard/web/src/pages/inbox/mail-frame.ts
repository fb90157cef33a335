/**
 * A mail's HTML for a sandboxed frame: links open in a tab of their own, nothing is fetched from elsewhere (the page's
 * content security policy binds the frame too), and its style elements carry the page's nonce so that they apply.
 */
export function frameDocument(html: string, nonce: string | undefined): string {
  const styled = nonce === undefined ? html : html.replace(/<style(?=[\s>])/gi, `<style nonce="${nonce}"`);
  const head = `<base target="_blank"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">`;
  if (/<head[^>]*>/i.test(styled)) return styled.replace(/<head[^>]*>/i, (tag) => tag + head);
  return `<!doctype html><head>${head}</head>${styled}`;
}
