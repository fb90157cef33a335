// Exits with 0 when what runs in this container is ready: `node deploy/healthcheck.mjs [url]`.
import process from "node:process";

const [url = `http://127.0.0.1:${process.env.TOCSIN_PORT ?? "9400"}/-/ready`] = process.argv.slice(2);
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2500) });
  process.exitCode = answer.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
