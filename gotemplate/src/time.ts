const NANOS_PER_SECOND = 1_000_000_000n;
const SECONDS_PER_DAY = 86_400n;
/** 0001-01-01T00:00:00Z, Go's zero time, in Unix seconds. */
const ZERO_SECONDS = -62_135_596_800n;

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** A place on the clock: what to add to UTC, and how the zone is called there and then. */
interface Offset {
  seconds: number;
  abbreviation: string;
}

/** A time zone of the IANA database, or UTC. */
export class GoZone {
  readonly name: string;
  readonly #formats: { parts: Intl.DateTimeFormat; abbreviation: Intl.DateTimeFormat } | undefined;

  /** Throws an Error worded like Go's when the zone is unknown. */
  constructor(name: string) {
    this.name = name === "" ? "UTC" : name;
    if (this.name === "UTC") return;
    try {
      const timeZone = this.name;
      const numeric = "numeric";
      this.#formats = {
        parts: new Intl.DateTimeFormat("en-US", {
          timeZone,
          hourCycle: "h23",
          era: "short",
          year: numeric,
          month: numeric,
          day: numeric,
          hour: numeric,
          minute: numeric,
          second: numeric,
        }),
        abbreviation: new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "short" }),
      };
    } catch (cause) {
      throw new Error(`unknown time zone ${name}`, { cause });
    }
  }

  at(unixSeconds: bigint): Offset {
    if (this.#formats === undefined) return { seconds: 0, abbreviation: "UTC" };
    const ms = Number(unixSeconds) * 1000;
    const parts = new Map(this.#formats.parts.formatToParts(ms).map((part) => [part.type, part.value]));
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const year = parts.get("era") === "BC" ? 1 - number("year") : number("year");
    const local = new Date(0);
    local.setUTCFullYear(year, number("month") - 1, number("day"));
    local.setUTCHours(number("hour"), number("minute"), number("second"));
    const seconds = (local.getTime() - ms) / 1000;
    return { seconds, abbreviation: this.#abbreviation(ms, seconds) };
  }

  /** Where English has no short name for a zone it says GMT+2; the database, and so Go, says +02 there, mostly. */
  #abbreviation(ms: number, seconds: number): string {
    const name =
      this.#formats?.abbreviation.formatToParts(ms).find((part) => part.type === "timeZoneName")?.value ?? "";
    if (!name.startsWith("GMT") || name === "GMT") return europeanName(this.name, seconds) ?? name;
    return europeanName(this.name, seconds) ?? formatOffset(seconds, "").replace(/00$/, "");
  }
}

const CENTRAL = new Set(
  (
    "Amsterdam Andorra Belgrade Berlin Bratislava Brussels Budapest Busingen Copenhagen Gibraltar Ljubljana Luxembourg " +
    "Madrid Malta Monaco Oslo Paris Podgorica Prague Rome San_Marino Sarajevo Skopje Stockholm Tirane Vaduz Vatican " +
    "Vienna Warsaw Zagreb Zurich"
  )
    .split(" ")
    .map((city) => `Europe/${city}`),
);
const EASTERN = new Set(
  "Athens Bucharest Chisinau Helsinki Kiev Kyiv Mariehamn Riga Sofia Tallinn Vilnius"
    .split(" ")
    .map((city) => `Europe/${city}`),
);
const FURTHER: Readonly<Record<string, readonly [string, string]>> = {
  "Europe/London": ["GMT", "BST"],
  "Europe/Dublin": ["GMT", "IST"],
  "Europe/Lisbon": ["WET", "WEST"],
  "Europe/Moscow": ["MSK", "MSK"],
  "Asia/Tokyo": ["JST", "JST"],
  "Asia/Kolkata": ["IST", "IST"],
  "Asia/Calcutta": ["IST", "IST"],
  "Asia/Shanghai": ["CST", "CST"],
  "Asia/Hong_Kong": ["HKT", "HKT"],
  "Asia/Seoul": ["KST", "KST"],
  "Australia/Sydney": ["AEST", "AEDT"],
  "Australia/Melbourne": ["AEST", "AEDT"],
  "Australia/Brisbane": ["AEST", "AEST"],
  "Australia/Perth": ["AWST", "AWST"],
  "Pacific/Auckland": ["NZST", "NZDT"],
  "Africa/Johannesburg": ["SAST", "SAST"],
};
const STANDARD: Readonly<Record<string, number>> = {
  "Europe/London": 0,
  "Europe/Dublin": 0,
  "Europe/Lisbon": 0,
  "Australia/Sydney": 36_000,
  "Australia/Melbourne": 36_000,
  "Pacific/Auckland": 43_200,
};

function europeanName(zone: string, seconds: number): string | undefined {
  if (CENTRAL.has(zone)) return seconds === 3600 ? "CET" : seconds === 7200 ? "CEST" : undefined;
  if (EASTERN.has(zone)) return seconds === 7200 ? "EET" : seconds === 10_800 ? "EEST" : undefined;
  const names = FURTHER[zone];
  if (names === undefined) return undefined;
  const standard = STANDARD[zone];
  return standard === undefined || standard === seconds ? names[0] : names[1];
}

export const UTC = new GoZone("UTC");

interface Civil {
  year: number;
  month: number;
  day: number;
  weekday: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nano: number;
}

/** A point in time with a zone to show it in: Go's time.Time. */
export class GoTime {
  readonly unixNano: bigint;
  readonly zone: GoZone;

  constructor(unixNano: bigint, zone: GoZone = UTC) {
    this.unixNano = unixNano;
    this.zone = zone;
  }

  /** Milliseconds since 1970; fractions down to a nanosecond count. */
  static fromMs(ms: number, zone: GoZone = UTC): GoTime {
    const whole = Math.floor(ms);
    return new GoTime(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)), zone);
  }

  /** Go's zero time, 0001-01-01T00:00:00Z. */
  static readonly zero = new GoTime(ZERO_SECONDS * NANOS_PER_SECOND);

  isZero(): boolean {
    return this.unixNano === ZERO_SECONDS * NANOS_PER_SECOND;
  }

  in(zone: GoZone): GoTime {
    return new GoTime(this.unixNano, zone);
  }

  add(duration: GoDuration): GoTime {
    return new GoTime(this.unixNano + duration.nanos, this.zone);
  }

  sub(other: GoTime): GoDuration {
    return new GoDuration(this.unixNano - other.unixNano);
  }

  get unixSeconds(): bigint {
    return floorDiv(this.unixNano, NANOS_PER_SECOND);
  }

  offset(): Offset {
    return this.zone.at(this.unixSeconds);
  }

  civil(): Civil {
    const seconds = this.unixSeconds + BigInt(this.offset().seconds);
    const days = floorDiv(seconds, SECONDS_PER_DAY);
    const rest = Number(seconds - days * SECONDS_PER_DAY);
    const date = new Date(Number(days) * 86_400_000);
    const year = date.getUTCFullYear();
    const newYear = new Date(0).setUTCFullYear(year, 0, 1);
    return {
      year,
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      yearDay: Math.round((date.getTime() - newYear) / 86_400_000) + 1,
      hour: Math.floor(rest / 3600),
      minute: Math.floor(rest / 60) % 60,
      second: rest % 60,
      nano: Number(this.unixNano - this.unixSeconds * NANOS_PER_SECOND),
    };
  }

  /** Prints by a Go layout such as `2006-01-02 15:04:05 MST`. */
  format(layout: string): string {
    const civil = this.civil();
    const offset = this.offset();
    return splitLayout(layout)
      .map((part) => (part.verb ? formatPart(part.text, civil, offset) : part.text))
      .join("");
  }

  toString(): string {
    return this.format("2006-01-02 15:04:05.999999999 -0700 MST");
  }
}

/** A length of time in nanoseconds: Go's time.Duration. */
export class GoDuration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }

  static fromMs(ms: number): GoDuration {
    return new GoDuration(BigInt(Math.round(ms * 1e6)));
  }

  get seconds(): number {
    return Number(this.nanos) / 1e9;
  }

  /** `1h2m3.5s`, `1.5ms`, `0s`. */
  toString(): string {
    const nanos = this.nanos < 0n ? -this.nanos : this.nanos;
    const sign = this.nanos < 0n ? "-" : "";
    if (nanos === 0n) return "0s";
    if (nanos < 1000n) return `${sign}${nanos}ns`;
    if (nanos < 1_000_000n) return `${sign}${fraction(nanos, 1000n)}µs`;
    if (nanos < NANOS_PER_SECOND) return `${sign}${fraction(nanos, 1_000_000n)}ms`;
    const minutes = nanos / (60n * NANOS_PER_SECOND);
    const seconds = fraction(nanos % (60n * NANOS_PER_SECOND), NANOS_PER_SECOND);
    if (minutes === 0n) return `${sign}${seconds}s`;
    if (minutes < 60n) return `${sign}${minutes}m${seconds}s`;
    return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}s`;
  }
}

function fraction(value: bigint, unit: bigint): string {
  const rest = value % unit;
  if (rest === 0n) return String(value / unit);
  const digits = String(unit).length - 1;
  return `${value / unit}.${String(rest).padStart(digits, "0").replace(/0+$/, "")}`;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** The verbs of a layout, longest first where one begins like another. */
const VERBS =
  /January|Jan|Monday|Mon|MST|2006|002|_2006|__2|_2|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|PM|pm|01|02|03|04|05|06|15|[.,]0+(?!\d)|[.,]9+(?!\d)|[12345]/g;

interface LayoutPart {
  verb: boolean;
  text: string;
}

function splitLayout(layout: string): LayoutPart[] {
  const parts: LayoutPart[] = [];
  let end = 0;
  for (const match of layout.matchAll(VERBS)) {
    const [text] = match;
    // "Janet" is not a month: a name must not go on in lower case.
    if ((text === "Jan" || text === "Mon") && /^[a-z]/.test(layout.slice(match.index + text.length))) continue;
    if (match.index > end) parts.push({ verb: false, text: layout.slice(end, match.index) });
    // `_2006` is a space and a year.
    if (text === "_2006") parts.push({ verb: false, text: "_" }, { verb: true, text: "2006" });
    else parts.push({ verb: true, text });
    end = match.index + text.length;
  }
  if (end < layout.length) parts.push({ verb: false, text: layout.slice(end) });
  return parts;
}

const pad = (n: number, width: number, fill = "0"): string =>
  n < 0 ? `-${String(-n).padStart(width, fill)}` : String(n).padStart(width, fill);

function formatPart(verb: string, civil: Civil, offset: Offset): string {
  const month = MONTHS[civil.month - 1] ?? "";
  const day = DAYS[civil.weekday] ?? "";
  switch (verb) {
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "Monday":
      return day;
    case "Mon":
      return day.slice(0, 3);
    case "MST":
      return offset.abbreviation;
    case "2006":
      return pad(civil.year, 4);
    case "06":
      return pad(((civil.year % 100) + 100) % 100, 2);
    case "01":
      return pad(civil.month, 2);
    case "1":
      return String(civil.month);
    case "02":
      return pad(civil.day, 2);
    case "_2":
      return pad(civil.day, 2, " ");
    case "2":
      return String(civil.day);
    case "002":
      return pad(civil.yearDay, 3);
    case "__2":
      return pad(civil.yearDay, 3, " ");
    case "15":
      return pad(civil.hour, 2);
    case "03":
      return pad(civil.hour % 12 === 0 ? 12 : civil.hour % 12, 2);
    case "3":
      return String(civil.hour % 12 === 0 ? 12 : civil.hour % 12);
    case "04":
      return pad(civil.minute, 2);
    case "4":
      return String(civil.minute);
    case "05":
      return pad(civil.second, 2);
    case "5":
      return String(civil.second);
    case "PM":
      return civil.hour >= 12 ? "PM" : "AM";
    case "pm":
      return civil.hour >= 12 ? "pm" : "am";
    default:
      return verb.startsWith(".") || verb.startsWith(",") ? formatNano(verb, civil.nano) : formatZone(verb, offset);
  }
}

function formatNano(verb: string, nano: number): string {
  const digits = pad(nano, 9).slice(0, verb.length - 1);
  if (verb[1] === "0") return (verb[0] ?? "") + digits.padEnd(verb.length - 1, "0");
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : (verb[0] ?? "") + trimmed;
}

function formatZone(verb: string, offset: Offset): string {
  if (verb.startsWith("Z") && offset.seconds === 0) return "Z";
  const shape = verb.slice(1);
  const colon = shape.includes(":") ? ":" : "";
  const text = formatOffset(offset.seconds, colon);
  if (shape === "07") return text.slice(0, 3);
  if (shape === "070000" || shape === "07:00:00") return `${text}${colon}${pad(Math.abs(offset.seconds) % 60, 2)}`;
  return text;
}

function formatOffset(seconds: number, colon: string): string {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  return `${seconds < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60), 2)}${colon}${pad(minutes % 60, 2)}`;
}

/**
 * Reads a time by a Go layout; the result is in UTC. Throws an Error worded like Go's
 * (`parsing time "x" as "2006-01-02": cannot parse "x" as "2006"`).
 */
export function parseGoTime(layout: string, text: string): GoTime {
  const at = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, nano: 0, offset: 0 };
  let pm: boolean | undefined;
  let rest = text;
  const fail = (found: string, wanted: string): never => {
    throw new Error(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(found)} as ${JSON.stringify(wanted)}`,
    );
  };
  const take = (pattern: RegExp, verb: string): string => {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) return fail(rest, verb);
    rest = rest.slice(found.length);
    return found;
  };
  const parts = splitLayout(layout);
  for (const [i, part] of parts.entries()) {
    if (!part.verb) {
      if (!rest.startsWith(part.text)) fail(rest, part.text);
      rest = rest.slice(part.text.length);
      continue;
    }
    const verb = part.text;
    const twoDigits = () => Number(take(/^\d\d/, verb));
    const oneOrTwo = () => Number(take(/^ ?\d\d?/, verb));
    if (verb === "2006") at.year = Number(take(/^\d{4}/, verb));
    else if (verb === "06") {
      const year = twoDigits();
      at.year = year >= 69 ? 1900 + year : 2000 + year;
    } else if (verb === "January" || verb === "Jan") {
      const names = MONTHS.map((name) => (verb === "Jan" ? name.slice(0, 3) : name));
      at.month =
        names.indexOf(
          take(new RegExp(`^(?:${names.join("|")})`, "i"), verb)
            .replace(/^./, upper)
            .replace(/(?<=^.).*/, lower),
        ) + 1;
    } else if (verb === "Monday" || verb === "Mon") {
      take(new RegExp(`^(?:${DAYS.map((name) => (verb === "Mon" ? name.slice(0, 3) : name)).join("|")})`, "i"), verb);
    } else if (verb === "01") at.month = twoDigits();
    else if (verb === "1") at.month = oneOrTwo();
    else if (verb === "02") at.day = twoDigits();
    else if (verb === "2" || verb === "_2") at.day = oneOrTwo();
    else if (verb === "15" || verb === "03") at.hour = twoDigits();
    else if (verb === "3") at.hour = oneOrTwo();
    else if (verb === "04") at.minute = twoDigits();
    else if (verb === "4") at.minute = oneOrTwo();
    else if (verb === "05" || verb === "5") {
      at.second = verb === "05" ? twoDigits() : oneOrTwo();
      // A fraction may follow the seconds though the layout has none.
      if (!/^[.,][09]/.test(parts[i + 1]?.text ?? "") && /^[.,]\d/.test(rest)) at.nano = nanoOf(take(/^[.,]\d+/, verb));
    } else if (/^[.,]0/.test(verb)) at.nano = nanoOf(take(new RegExp(`^[.,]\\d{${verb.length - 1}}`), verb));
    else if (/^[.,]9/.test(verb)) at.nano = /^[.,]\d/.test(rest) ? nanoOf(take(/^[.,]\d+/, verb)) : 0;
    else if (verb === "PM" || verb === "pm") pm = take(/^[AaPp][Mm]/, verb).toLowerCase() === "pm";
    else if (verb === "MST") take(/^[A-Z]{3,5}|^[+-]\d\d/, verb);
    else if (verb.startsWith("Z") && rest.startsWith("Z")) rest = rest.slice(1);
    else if (/^[Z-]07/.test(verb)) {
      const match = take(verb.includes(":") ? /^[+-]\d\d:\d\d/ : verb.length === 3 ? /^[+-]\d\d/ : /^[+-]\d{4}/, verb);
      const digits = match.replaceAll(/\D/g, "");
      at.offset =
        (match[0] === "-" ? -1 : 1) * (Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2) || "0") * 60);
    } else take(/^ {0,2}\d{1,3}/, verb);
  }
  if (rest !== "") throw new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
  if (pm === true && at.hour < 12) at.hour += 12;
  if (pm === false && at.hour === 12) at.hour = 0;
  const outOfRange = (what: string) => {
    throw new Error(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
  };
  if (at.month < 1 || at.month > 12) outOfRange("month");
  if (at.hour > 23) outOfRange("hour");
  if (at.minute > 59) outOfRange("minute");
  if (at.second > 59) outOfRange("second");
  const date = new Date(0);
  date.setUTCFullYear(at.year, at.month - 1, at.day);
  if (at.day < 1 || date.getUTCMonth() !== at.month - 1) outOfRange("day");
  const seconds = date.getTime() / 1000 + at.hour * 3600 + at.minute * 60 + at.second - at.offset;
  return new GoTime(BigInt(seconds) * NANOS_PER_SECOND + BigInt(at.nano));
}

const upper = (text: string) => text.toUpperCase();
const lower = (text: string) => text.toLowerCase();
const nanoOf = (text: string) => Number(text.slice(1, 10).padEnd(9, "0"));
