import { compilePattern, sameMatcher, type CompiledMatcher, type Matcher, type UnixMs } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import { compareSilences, silenceState, type Silence, type SilenceRequest } from "../mute/silence.ts";
import { timestamp } from "../posted-alert.ts";
import type { AlertRouter } from "../router.ts";
import { ApiError, SCHEMA } from "./api-error.ts";
import { isObject, mistyped, optionalBoolean, optionalString, optionalStrings, required } from "./body.ts";
import { flag, matchers, type Query } from "./query.ts";

export interface GettableSilence {
  id: string;
  status: { state: "pending" | "active" | "expired" };
  updatedAt: string;
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
  annotations: Readonly<Record<string, string>>;
}

/** `GET /silences` */
export function listSilences(router: AlertRouter, query: Query): GettableSilence[] {
  const filter = matchers(query, "filter", router.matcherMode);
  const shown = { active: flag(query, "active"), expired: flag(query, "expired"), pending: flag(query, "pending") };
  const at = router.clock.now();
  return Array.from(router.silences.values())
    .filter((silence) => shown[silenceState(silence, at)] && matchesFilter(silence, filter))
    .sort((a, b) => compareSilences(a, b, at))
    .map((silence) => toGettable(silence, at));
}

/** `GET /silence/:id`; undefined when there is none. */
export function getSilence(router: AlertRouter, id: string): GettableSilence | undefined {
  const silence = router.silences.get(checkId(id));
  return silence && toGettable(silence, router.clock.now());
}

/** `DELETE /silence/:id` */
export function deleteSilence(router: AlertRouter, id: string): Promise<"ok" | "unknown"> {
  return router.expireSilence(checkId(id));
}

/** `POST /silences` */
export async function postSilence(router: AlertRouter, body: unknown): Promise<{ silenceID: string }> {
  const request = readPostedSilence(body);
  const result = await router.setSilence(request);
  switch (result.status) {
    case "ok":
      return { silenceID: result.silence.id };
    case "unknown":
      throw ApiError.handler(404, "silence not found");
    case "invalid":
      throw ApiError.handler(400, result.error);
  }
}

/** Filters pick the silences that are about something: those with a matcher of that very name, type and value. */
function matchesFilter(silence: Silence, filter: readonly CompiledMatcher[]): boolean {
  return filter.every((wanted) => silence.matchers.some((matcher) => sameMatcher(matcher, wanted)));
}

function toGettable(silence: Silence, at: UnixMs): GettableSilence {
  return {
    id: silence.id,
    status: { state: silenceState(silence, at) },
    updatedAt: new Date(silence.updatedAt).toISOString(),
    annotations: silence.annotations,
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: new Date(silence.endsAt).toISOString(),
    matchers: silence.matchers.map(({ name, type, value }) => ({
      isEqual: type === "=" || type === "=~",
      isRegex: type === "=~" || type === "!~",
      name,
      value,
    })),
    startsAt: new Date(silence.startsAt).toISOString(),
  };
}

function checkId(id: string): string {
  if (!/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(id))
    throw ApiError.schema(SCHEMA.type, `silenceID in path must be of type uuid: ${JSON.stringify(id)}`);
  return id.toLowerCase();
}

function readPostedSilence(body: unknown): SilenceRequest {
  if (body === null || body === undefined) throw required("silence");
  if (!isObject(body)) throw mistyped("silence", body, "models.PostableSilence");
  const id = optionalString("silence", body["id"]);
  const annotations = optionalStrings("silence", body["annotations"]) ?? {};
  const comment = optionalString("silence", body["comment"]);
  const createdBy = optionalString("silence", body["createdBy"]);
  const endsAt = readDate(body["endsAt"]);
  const startsAt = readDate(body["startsAt"]);
  if (comment === undefined) throw required("comment");
  if (createdBy === undefined) throw required("createdBy");
  if (endsAt === undefined) throw required("endsAt");
  const matchers = readMatchers(body["matchers"]);
  if (startsAt === undefined) throw required("startsAt");
  return { ...(id !== undefined && id !== "" && { id }), annotations, comment, createdBy, startsAt, endsAt, matchers };
}

function readMatchers(value: unknown): Matcher[] {
  if (value === undefined || value === null) throw required("matchers");
  if (!Array.isArray(value)) throw mistyped("silence", value, "models.Matchers");
  if (value.length === 0) throw ApiError.schema(SCHEMA.minItems, "matchers in body should have at least 1 items");
  return value.map((item: unknown, i) => {
    if (!isObject(item)) throw mistyped("silence", item, "models.Matcher");
    const isEqual = optionalBoolean("silence", item["isEqual"]) ?? true;
    const isRegex = optionalBoolean("silence", item["isRegex"]);
    const name = optionalString("silence", item["name"]);
    const text = optionalString("silence", item["value"]);
    if (isRegex === undefined) throw required(`matchers.${i}.isRegex`);
    if (name === undefined) throw required(`matchers.${i}.name`);
    if (text === undefined) throw required(`matchers.${i}.value`);
    return checkMatcher({ name, value: text, type: isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=" });
  });
}

function checkMatcher(matcher: Matcher): Matcher {
  if (matcher.name === "") throw ApiError.handler(400, `invalid silence: invalid label matcher: invalid label name ""`);
  if (matcher.type === "=" || matcher.type === "!=") return matcher;
  try {
    compilePattern(matcher.value);
    return matcher;
  } catch (error) {
    throw ApiError.handler(400, `invalid silence: invalid label matcher: ${errorMessage(error)}`);
  }
}

function readDate(value: unknown): UnixMs | undefined {
  const text = optionalString("silence", value);
  try {
    return text === undefined ? undefined : (timestamp(text) ?? Date.parse("0001-01-01T00:00:00.000Z"));
  } catch (error) {
    throw ApiError.schema(400, `parsing silence body from "" failed, because ${errorMessage(error)}`);
  }
}
