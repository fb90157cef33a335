import { expect, test } from "vitest";
import { signedHeaders } from "./sigv4.ts";

const credentials = { accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const scope = { region: "us-east-1", service: "service", at: Date.UTC(2015, 7, 30, 12, 36, 0) };
const SCOPE = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

test("post-vanilla of AWS' test suite", () => {
  const headers = signedHeaders({ url: "https://example.amazonaws.com/", headers: {}, body: "" }, credentials, scope);
  expect(headers).toEqual({
    "x-amz-date": "20150830T123600Z",
    authorization: `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b`,
  });
});

test("post-x-www-form-urlencoded of AWS' test suite", () => {
  const request = {
    url: "https://example.amazonaws.com/",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Param1=value1",
  };
  expect(signedHeaders(request, credentials, scope)["authorization"]).toBe(
    `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a`,
  );
});
