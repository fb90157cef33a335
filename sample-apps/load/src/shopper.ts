/** The services as a visitor of the shop meets them. */
export interface Shop {
  apiUrl: string;
  /** Where the simulated phones show their messages. */
  smsUrl: string;
  timeoutMs: number;
  random: () => number;
}

const CLIENTS = ["web", "web", "web", "ios", "ios", "android", "android", "partner"] as const;
const SKUS = ["tea-250g", "mug-blue", "notebook-a5", "lamp-desk", "cable-usb-c"] as const;

/** One visit: an order, a login, a look at an order, or a mistake. Rejects when the shop cannot be reached. */
export async function visit(shop: Shop): Promise<void> {
  const kind = shop.random();
  if (kind < 0.55) await order(shop);
  else if (kind < 0.9) await login(shop);
  else if (kind < 0.95) await post(shop, "/orders", { client: pick(shop, CLIENTS), phone: "12345", items: [] });
  else await call(shop, `${shop.apiUrl}/orders/00000000-0000-0000-0000-000000000000`);
}

async function order(shop: Shop): Promise<void> {
  const items = Array.from({ length: 1 + Math.floor(shop.random() * 3) }, () => ({
    sku: pick(shop, SKUS),
    quantity: 1 + Math.floor(shop.random() * 3),
    priceYuan: Math.round((5 + shop.random() ** 3 * 900) * 100) / 100,
  }));
  const posted = await post(shop, "/orders", { client: pick(shop, CLIENTS), phone: phone(shop), items });
  if (posted.status !== 201 || shop.random() < 0.7) return;
  const { id } = posted.body as { id: string };
  await call(shop, `${shop.apiUrl}/orders/${id}`);
}

async function login(shop: Shop): Promise<void> {
  const number = phone(shop);
  const asked = await post(shop, "/logins", { client: pick(shop, CLIENTS), phone: number });
  if (asked.status !== 202) return;
  const handset = await call(shop, `${shop.smsUrl}/handsets/${encodeURIComponent(number)}`);
  const shown = handset.status === 200 ? (handset.body as { text: string }).text.slice(0, 6) : "000000";
  const typed = shop.random() < 0.05 ? "123456" : shown;
  await post(shop, "/logins/verify", { phone: number, code: typed });
}

const post = (shop: Shop, path: string, payload: unknown) =>
  call(shop, shop.apiUrl + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
  });

async function call(shop: Shop, url: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(shop.timeoutMs) });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

const phone = ({ random }: Shop): string => `+86138${String(Math.floor(random() * 1e8)).padStart(8, "0")}`;

function pick<T>({ random }: Shop, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0];
}
