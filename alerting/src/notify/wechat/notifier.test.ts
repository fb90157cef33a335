import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const wechat = (url: string, keys = "to_user: '@all'") =>
  notifierOf(
    `wechat_configs: [{api_url: '${url}/cgi-bin', api_secret: corp-secret-1, corp_id: ww1, agent_id: '1000002', ${keys}}]`,
  );
const TOKEN = '{"errcode":0,"errmsg":"ok","access_token":"access-token-1","expires_in":7200}';
const isToken = ({ path }: { path: string }) => path.startsWith("/cgi-bin/gettoken");

httpNotifierContract("wechat", (url) => wechat(url), {
  before: (request) => (isToken(request) ? TOKEN : undefined),
  accepts: { body: '{"errcode":0,"errmsg":"ok"}', type: "application/json" },
  exceptions: Object.fromEntries([201, 204, 400, 401, 403, 404, 413, 429, 503].map((status) => [status, "retry"])),
  secrets: ["corp-secret-1", "access-token-1"],
});

const scene = sinkScene();
/** Gives tokens t1, t2 … and answers messages with these codes in turn. */
function answering(...codes: number[]): void {
  let tokens = 0;
  scene.sink.answer = (response, request) => {
    const body = isToken(request)
      ? { errcode: 0, access_token: `t${++tokens}` }
      : { errcode: codes.shift() ?? 0, errmsg: "said" };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}
const paths = () => scene.sink.received.map(({ path }) => path);

describe("the access token", () => {
  test("is fetched once and used for two hours", async () => {
    answering();
    const notifier = wechat(scene.sink.url);
    await scene.notify(notifier);
    await scene.notify(notifier);
    expect(paths()).toEqual([
      "/cgi-bin/gettoken?corpsecret=corp-secret-1&corpid=ww1",
      "/cgi-bin/message/send?access_token=t1",
      "/cgi-bin/message/send?access_token=t1",
    ]);
  });

  test.each([42_001, 40_014])("is fetched anew after code %d", async (code) => {
    answering(code);
    const notifier = wechat(scene.sink.url);
    expect(await scene.notify(notifier)).toMatchObject({ status: "retry", reason: "authError" });
    expect(await scene.notify(notifier)).toMatchObject({ status: "sent" });
    expect(paths().at(-1)).toBe("/cgi-bin/message/send?access_token=t2");
  });

  test("that is not given is final and shows the reason, not the secret", async () => {
    scene.sink.answerJson({ errcode: 40_001, errmsg: "invalid credential corp-secret-1" });
    const result = await scene.notify(wechat(scene.sink.url));
    expect(result).toEqual({
      status: "failed",
      reason: "authError",
      error: "no access token for corp_id ww1: 40001 invalid credential <secret>",
    });
  });
});

test("a message is text or markdown for users, departments or tags", async () => {
  answering();
  await scene.notify(wechat(scene.sink.url, "to_user: '@all', message: '{{ .Status }}'"));
  await scene.notify(
    wechat(
      scene.sink.url,
      "message_type: markdown, message: '**{{ .Status }}**', to_party: '{{ len .Alerts }}', to_tag: t",
    ),
  );
  const [, text, , markdown] = scene.sink.received.map(({ body }) => (body === "" ? {} : JSON.parse(body)) as object);
  expect(text).toEqual({ touser: "@all", agentid: "1000002", safe: "0", msgtype: "text", text: { content: "firing" } });
  expect(markdown).toEqual({
    toparty: "1",
    totag: "t",
    agentid: "1000002",
    safe: "0",
    msgtype: "markdown",
    markdown: { content: "**firing**" },
  });
});

test("the default message has subject, annotations, alerts and link", async () => {
  answering();
  await scene.notify(wechat(scene.sink.url));
  const body = JSON.parse(scene.sink.received[1]?.body ?? "") as { text: { content: string } };
  expect(body.text.content).toContain("[FIRING:1] High (page)");
  expect(body.text.content).toContain(" - severity = page");
  expect(body.text.content).toContain("http://am.example/#/alerts?receiver=team");
});

test("any other code is final", async () => {
  answering(81_013);
  expect(await scene.notify(wechat(scene.sink.url))).toEqual({
    status: "failed",
    reason: "clientError",
    error: "WeChat refused: 81013 said",
  });
});

test.each([
  ["{corp_id: x}", "no api_secret"],
  ["{api_secret: x}", "no corp_id"],
  ["{api_secret: x, corp_id: y, message_type: html}", "must be one of text, markdown"],
])("%s is refused", (block, message) => expect(() => notifierOf(`wechat_configs: [${block}]`)).toThrow(message));
