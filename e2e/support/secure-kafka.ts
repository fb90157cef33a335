import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "./kafka.ts";

const CACHE =
  process.env["KAFKA_CACHE"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tocsin-stack", "kafka");
const LIBRARIES = join(CACHE, process.env["KAFKA_VERSION"] ?? "4.3.1", "*");
const JAVA = process.env["JAVA"] ?? "java";
const run = promisify(execFile);

export interface SecureKafka {
  readonly brokers: string[];
  /** Certificate of the authority that has signed the broker's, PEM. */
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** A broker that speaks TLS alone and asks for a user (SASL PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). Needs Kafka's jars in the cache. */
export async function startSecureKafka(): Promise<SecureKafka> {
  const dir = await mkdtemp(join(tmpdir(), "tocsin-secure-kafka-"));
  const [port = 0, controller = 0, internal = 0] = await freePorts(3);
  const [username, password] = ["tocsin", randomBytes(9).toString("hex")];
  const certificate = join(dir, "cert.pem");
  const key = join(dir, "key.pem");
  const request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=kafka-under-test".split(" ");
  const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", [...request, ...names, "-keyout", key, "-out", certificate]);
  const oneLine = async (file: string) => (await readFile(file, "utf8")).trim().replaceAll("\n", "\\n");
  const properties = join(dir, "server.properties");
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
listeners=SASL_SSL://127.0.0.1:${port},INTERNAL://127.0.0.1:${internal},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=SASL_SSL://127.0.0.1:${port},INTERNAL://127.0.0.1:${internal}
listener.security.protocol.map=SASL_SSL:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:${controller}
log.dirs=${join(dir, "log")}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
ssl.keystore.type=PEM
ssl.keystore.certificate.chain=${await oneLine(certificate)}
ssl.keystore.key=${await oneLine(key)}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
`,
  );
  const java = ["-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", LIBRARIES];
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
  const clusterId = `A${randomBytes(16).toString("base64url").slice(1)}`;
  const format = ["format", `--cluster-id=${clusterId}`, "--config", properties, ...users];
  await run(JAVA, [...java, "kafka.tools.StorageTool", ...format]);
  const broker = spawn(JAVA, [...java, "kafka.Kafka", properties], { stdio: "ignore" });
  const ended = once(broker, "exit");
  await accepts(port, () => broker.exitCode !== null);
  return {
    brokers: [`127.0.0.1:${port}`],
    caFile: certificate,
    username,
    password,
    async stop() {
      broker.kill("SIGKILL");
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    if (hasEnded() || performance.now() > deadline) throw new Error("the broker with TLS has not started");
    await pause(100);
  }
}
