import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExpositionError, parseExposition, parseSeries, type ExpositionFormat } from "./exposition.ts";

/** Everything the parser says, one line each. */
function parse(text: string, format: ExpositionFormat = "prometheus"): unknown[] {
  const said: unknown[] = [];
  parseExposition(text, format, {
    type: (family, type) => said.push(["type", family, type]),
    help: (family, help) => said.push(["help", family, help]),
    unit: (family, unit) => said.push(["unit", family, unit]),
    sample: (series, value, timestampMs, exemplar, type) => {
      const labels = parseSeries(series, type);
      said.push([labels, value, ...(timestampMs === undefined ? [] : [timestampMs]), ...(exemplar ? [exemplar] : [])]);
    },
  });
  return said;
}

describe("Prometheus text", () => {
  test("of every shape that exporters write", () => {
    const text = `
# HELP http_requests_total The total, with \\\\ and \\n in it.
# TYPE http_requests_total counter
# a comment
http_requests_total{method="post",code="200"} 1027 1395066363000
 http_requests_total { method = "post" , code="400", } 3
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find:\\n\\"F{}\\""} 1.458255915e9
metric_without_labels	12.47
something_weird{problem="division by zero"} +Inf -3982045
# TYPE rpc summary
rpc{quantile="0.5"} NaN
rpc{quantile="1"} -inf
# TYPE h histogram
h_bucket{le="10"} 2
h_bucket{le="+Inf"} 3
# TYPE u untyped
{"dotted.name","dotted.label"="ü"} .5
`;
    expect(parse(text)).toEqual([
      ["help", "http_requests_total", "The total, with \\ and \n in it."],
      ["type", "http_requests_total", "counter"],
      [{ __name__: "http_requests_total", method: "post", code: "200" }, 1027, 1_395_066_363_000],
      [{ __name__: "http_requests_total", method: "post", code: "400" }, 3],
      [
        { __name__: "msdos_file_access_time_seconds", path: "C:\\DIR\\FILE.TXT", error: 'Cannot find:\n"F{}"' },
        1.458255915e9,
      ],
      [{ __name__: "metric_without_labels" }, 12.47],
      [{ __name__: "something_weird", problem: "division by zero" }, Infinity, -3_982_045],
      ["type", "rpc", "summary"],
      [{ __name__: "rpc", quantile: "0.5" }, Number.NaN],
      [{ __name__: "rpc", quantile: "1.0" }, -Infinity],
      ["type", "h", "histogram"],
      [{ __name__: "h_bucket", le: "10.0" }, 2],
      [{ __name__: "h_bucket", le: "+Inf" }, 3],
      ["type", "u", "unknown"],
      [{ __name__: "dotted.name", "dotted.label": "ü" }, 0.5],
    ]);
  });

  test.each([
    ["a", "no value after"],
    ["a ", "no value"],
    ["a b", 'invalid value "b"'],
    ["a 0x10", 'invalid value "0x10"'],
    ["a 1 2.5", 'invalid timestamp "2.5"'],
    ["a 1 2 3", 'unexpected "3"'],
    ['a{b="c} 1', "a quote is not closed"],
    ['a{b="c" 1', "a brace is not closed"],
    ["a{b=c} 1", 'invalid labels at "b=c"'],
    ['a{b="1",b="2"} 1', 'label "b" is given twice'],
    ['a{b="1" c="2"} 1', "invalid labels at"],
    ["a{b} 1", 'label "b" has no value'],
    ['{b="1"} 1', "no metric name in"],
    ['a{"c"} 1', 'label "__name__" is given twice'],
    ["1a 1", 'invalid metric name "1a"'],
    ['a{__proto__="x"} 1', 'invalid label name "__proto__"'],
    ["# TYPE a thing\na 1", 'invalid metric type "thing"'],
    ['a 1 # {trace_id="x"} 1', "unexpected"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(`ok 1\n${text}\n`)).toThrow(message);
  });

  test("a mistake is named with its line", () => {
    expect(() => parse("a 1\n\nb x\n")).toThrow(new ExpositionError('line 3: invalid value "x"'));
  });
});

describe("OpenMetrics", () => {
  test("with units, seconds and exemplars", () => {
    const text = `# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
# HELP latency_seconds with \\"quotes\\"
latency_seconds_bucket{le="0.5"} 2 1520879607.789 # {trace_id="5b8efff798038103d269b633813fc60c",span_id="eee19b7ec3c1b174"} 0.25 1520879607.1
latency_seconds_bucket{le="+Inf"} 3 # {} 9
latency_seconds_created 1520430000.123
# TYPE state stateset
state{state="a"} 1
# EOF
`;
    expect(parse(text, "openmetrics")).toEqual([
      ["type", "latency_seconds", "histogram"],
      ["unit", "latency_seconds", "seconds"],
      ["help", "latency_seconds", 'with "quotes"'],
      [
        { __name__: "latency_seconds_bucket", le: "0.5" },
        2,
        1_520_879_607_789,
        {
          labels: { trace_id: "5b8efff798038103d269b633813fc60c", span_id: "eee19b7ec3c1b174" },
          value: 0.25,
          timestampMs: 1_520_879_607_100,
        },
      ],
      [{ __name__: "latency_seconds_bucket", le: "+Inf" }, 3, { labels: {}, value: 9, timestampMs: undefined }],
      [{ __name__: "latency_seconds_created" }, 1_520_430_000.123],
      ["type", "state", "stateset"],
      [{ __name__: "state", state: "a" }, 1],
    ]);
  });

  test.each([
    ["a 1\n", "the text does not end with # EOF"],
    ["", "the text does not end with # EOF"],
    ["# EOF\na 1\n", "line 2: there is more after # EOF"],
    ["a 1\n\n# EOF\n", "line 2: empty line"],
    ["# hello\n# EOF\n", 'line 1: invalid comment "# hello"'],
    ["# TYPE a untyped\n# EOF\n", 'line 1: invalid metric type "untyped"'],
    ['a 1 # {b="c"}\n# EOF\n', "line 1: no value"],
    ["a 1 # b\n# EOF\n", "line 1: an exemplar begins with its labels in braces"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text, "openmetrics")).toThrow(message);
  });
});

describe("whatever the text", () => {
  const label = fc
    .string({ unit: "binary", maxLength: 20 })
    .filter((text) => text.isWellFormed() && !text.includes("\n"));
  const escape = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

  test("label values come back as they were", () => {
    fc.assert(
      fc.property(label, fc.double({ noDefaultInfinity: true, noNaN: true }), (value, number) => {
        expect(parse(`a{b="${escape(value)}"} ${Object.is(number, -0) ? "-0" : number}`)).toEqual([
          [{ __name__: "a", b: value }, number],
        ]);
      }),
    );
  });

  test("it is read or refused, and takes no longer for it", () => {
    const piece = fc.constantFrom(
      "a",
      "{",
      "}",
      '"',
      "\\",
      "=",
      ",",
      " ",
      "\n",
      "1",
      "# TYPE a counter",
      "# EOF",
      "#",
      "e",
      '"b"="c"',
      "\t",
      "ü",
    );
    const formats = fc.constantFrom<ExpositionFormat>("prometheus", "openmetrics");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), formats, (pieces, format) => {
        try {
          parse(pieces.join(""), format);
        } catch (error) {
          expect(error).toBeInstanceOf(ExpositionError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("long lines of nothing but quotes or blanks are no trap", () => {
    for (const text of [
      `a{${'"'.repeat(100_000)}} 1`,
      `a{${" ".repeat(100_000)}} 1`,
      `a{${"b".repeat(100_000)}} 1`,
      `# HELP ${" ".repeat(100_000)}`,
      `# HELP ${'"\\'.repeat(50_000)}`,
    ]) {
      const started = performance.now();
      try {
        parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ExpositionError);
      }
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });
});
