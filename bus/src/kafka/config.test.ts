import { parseConfig } from "@tocsin/platform";
import { expect, test } from "vitest";
import { BusConfig } from "./config.ts";

const parse = (text: string) => parseConfig({ file: "tocsin.yaml", text }, BusConfig);

test("stays in memory by default, and knows what to ask of a broker", () => {
  const { driver, kafka } = parse("");
  expect(driver).toBe("memory");
  expect(kafka.brokers).toEqual(["127.0.0.1:9092"]);
  expect(kafka.encoding).toBe("otlp_proto");
  expect(kafka.spool).toEqual({ max_bytes: 2 ** 30, segment_bytes: 2 ** 24 });
  expect(kafka.topics.otlp_logs).toEqual({ partitions: 6, retention: 86_400_000 });
  expect(kafka.topics.dlq).toEqual({ partitions: 1, retention: 14 * 86_400_000 });
});

test.each([
  ["kafka: { brokers: [kafka] }", "kafka.brokers.0: write it like kafka:9092"],
  ["kafka: { tls: { cert_file: a.pem } }", "cert_file and key_file go together"],
  ["kafka: { topic_prefix: 'a b' }", "kafka.topic_prefix"],
  ["kafka: { producer: librdkafka }", "kafka.producer"],
  ["kafka: { sasl: { mechanism: plain, username: u } }", "kafka.sasl.password"],
])("refuses %s", (text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("never shows the password", () => {
  const config = parse("kafka: { sasl: { mechanism: plain, username: u, password: pa55 } }");
  expect(JSON.stringify(config)).not.toContain("pa55");
  expect(config.kafka.sasl?.password.reveal()).toBe("pa55");
});
