import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeSettings, readSettings } from "./read-settings.ts";

function yaml(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "tocsin-settings-")), "tocsin.yaml");
  writeFileSync(file, text);
  return file;
}

test("without anything the defaults hold and nothing counts as given", () => {
  const settings = readSettings([], {});
  expect(settings.port).toBe(9400);
  expect(settings.data_dir).toBe("./data");
  expect(settings.demo).toBe(true);
  expect([...settings.given]).toEqual([]);
});

test("a flag wins over the environment, which wins over the file", () => {
  const file = yaml("port: 1\notlp_http_port: 2\nsmtp_port: 3\n");
  const settings = readSettings(["--config", file, "--port", "11"], { TOCSIN_PORT: "12", TOCSIN_OTLP_HTTP_PORT: "13" });
  expect([settings.port, settings.otlp_http_port, settings.smtp_port]).toEqual([11, 13, 3]);
  expect([...settings.given].sort()).toEqual(["otlp_http_port", "port", "smtp_port"]);
});

test("--no-demo and TOCSIN_DEMO=false turn the demo off", () => {
  expect(readSettings(["--no-demo"], {}).demo).toBe(false);
  expect(readSettings([], { TOCSIN_DEMO: "false" }).demo).toBe(false);
});

test("rules come from repeated flags or a comma list", () => {
  expect(readSettings(["--rules", "a.yml", "--rules", "b/*.yml"], {}).rules).toEqual(["a.yml", "b/*.yml"]);
  expect(readSettings([], { TOCSIN_RULES: "a.yml,b.yml" }).rules).toEqual(["a.yml", "b.yml"]);
});

test("--config.file names alertmanager.yml and --config names tocsin.yaml", () => {
  const settings = readSettings(["--config.file", "am.yml", "--config", yaml("host: 127.0.0.2")], {});
  expect(settings.config_file).toBe("am.yml");
  expect(settings.host).toBe("127.0.0.2");
});

test("a mistake in the file is told with its line and column", () => {
  const file = yaml("host: 127.0.0.1\nprot: 9400\n");
  expect(() => readSettings(["--config", file], {})).toThrow(`${file}:2:1 prot: unknown key`);
});

test("a mistake in the environment or a flag is told by its name", () => {
  expect(() => readSettings([], { TOCSIN_PORT: "web" })).toThrow(/^TOCSIN_PORT: /);
  expect(() => readSettings(["--port", "70000"], {})).toThrow(/^--port: /);
  expect(() => readSettings(["--prot", "1"], {})).toThrow(/Unknown option '--prot'.*--help/);
});

test("an unreadable file is named", () => {
  expect(() => readSettings(["--config", "/nowhere/tocsin.yaml"], {})).toThrow("cannot read /nowhere/tocsin.yaml");
});

test("the help lists every setting with its variable and default", () => {
  const help = describeSettings();
  expect(help).toMatch(/--otlp-http-port\s+TOCSIN_OTLP_HTTP_PORT\s+4318\s+OTLP over HTTP/);
  expect(help).toMatch(/--no-demo\s+TOCSIN_DEMO\s+true/);
});
