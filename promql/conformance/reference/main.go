// The reference side of the differential tests: the Prometheus engine and parser behind a line protocol.
// Each line of standard input is one JSON request, each line of standard output its JSON answer.
//
//	{"op":"parse","q":"…","flags":true}                   → {"printed","pretty","type","span"} or {"error"}
//	{"op":"load","series":[{"labels":{…},"samples":[[t,v]|[t,null,{histogram}],…]}]} → {}
//	{"op":"query","q":"…","start":ms,"end":ms,"step":ms,"flags":bool,"delayed":bool} → {"data","warnings","infos"} or {"error"}
//
// A step of 0 asks for an instant query at "start". Sample values are numbers or "NaN", "+Inf", "-Inf", "stale".
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

type request struct {
	Op      string   `json:"op"`
	Q       string   `json:"q"`
	Flags   bool     `json:"flags"`
	Delayed bool     `json:"delayed"`
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Step    int64    `json:"step"`
	Series  []series `json:"series"`
}

type series struct {
	Labels  map[string]string   `json:"labels"`
	Samples [][]json.RawMessage `json:"samples"`
	lset    labels.Labels
	points  []chunks.Sample
}

type jsonHistogram struct {
	Schema         int32     `json:"schema"`
	Count          float64   `json:"count"`
	Sum            float64   `json:"sum"`
	ZeroThreshold  float64   `json:"zeroThreshold"`
	ZeroCount      float64   `json:"zeroCount"`
	PositiveOffset int32     `json:"positiveOffset"`
	Positive       []float64 `json:"positiveBuckets"`
	NegativeOffset int32     `json:"negativeOffset"`
	Negative       []float64 `json:"negativeBuckets"`
	Custom         []float64 `json:"customValues"`
	CounterReset   string    `json:"counterReset"`
}

func (j jsonHistogram) float() *histogram.FloatHistogram {
	h := &histogram.FloatHistogram{
		Schema: j.Schema, Count: j.Count, Sum: j.Sum, ZeroThreshold: j.ZeroThreshold, ZeroCount: j.ZeroCount,
	}
	if j.Schema == histogram.CustomBucketsSchema {
		h.CustomValues = j.Custom
	}
	if len(j.Positive) > 0 {
		h.PositiveSpans = []histogram.Span{{Offset: j.PositiveOffset, Length: uint32(len(j.Positive))}}
		h.PositiveBuckets = j.Positive
	}
	if len(j.Negative) > 0 {
		h.NegativeSpans = []histogram.Span{{Offset: j.NegativeOffset, Length: uint32(len(j.Negative))}}
		h.NegativeBuckets = j.Negative
	}
	switch j.CounterReset {
	case "reset":
		h.CounterResetHint = histogram.CounterReset
	case "notReset":
		h.CounterResetHint = histogram.NotCounterReset
	case "gauge":
		h.CounterResetHint = histogram.GaugeType
	}
	return h.Compact(0)
}

type point struct {
	t int64
	f float64
	h *histogram.FloatHistogram
}

func (p point) T() int64                { return p.t }
func (p point) ST() int64               { return 0 }
func (p point) F() float64              { return p.f }
func (p point) H() *histogram.Histogram { return nil }

// The engine changes what it is given in place, as storages decode every sample anew.
func (p point) FH() *histogram.FloatHistogram { return p.h.Copy() }
func (p point) Copy() chunks.Sample           { return p }
func (p point) Type() chunkenc.ValueType {
	if p.h != nil {
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValFloat
}

func number(raw json.RawMessage) float64 {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "stale" {
			return math.Float64frombits(value.StaleNaN)
		}
		f, _ := strconv.ParseFloat(text, 64)
		return f
	}
	f, _ := strconv.ParseFloat(string(raw), 64)
	return f
}

type memory struct{ all []series }

func (m *memory) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{m: m, mint: mint, maxt: maxt}, nil
}

type querier struct {
	m          *memory
	mint, maxt int64
}

func (q *querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	var out []storage.Series
	for _, s := range q.m.all {
		ok := true
		for _, m := range ms {
			if !m.Matches(s.lset.Get(m.Name)) {
				ok = false
				break
			}
		}
		if !ok {
			continue
		}
		out = append(out, storage.NewListSeries(s.lset, s.points))
	}
	return &set{series: out, at: -1}
}

func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}
func (*querier) Close() error { return nil }

type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *set) At() storage.Series                { return s.series[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

func newParser(flags bool) parser.Parser {
	return parser.NewParser(parser.Options{
		EnableExperimentalFunctions: flags, ExperimentalDurationExpr: flags,
		EnableExtendedRangeSelectors: flags, EnableBinopFillModifiers: flags,
	})
}

func newEngine(flags, delayed bool) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 },
		EnableDelayedNameRemoval: delayed, Parser: newParser(flags),
	})
}

func num(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// The form of the HTTP API, with all digits.
func jsonHistogramResult(h *histogram.FloatHistogram) map[string]any {
	out := map[string]any{"count": num(h.Count), "sum": num(h.Sum)}
	buckets := [][]any{}
	for it := h.AllBucketIterator(); it.Next(); {
		b := it.At()
		if b.Count == 0 {
			continue
		}
		rule := 2
		switch {
		case b.LowerInclusive && b.UpperInclusive:
			rule = 3
		case b.LowerInclusive:
			rule = 1
		case b.UpperInclusive:
			rule = 0
		}
		buckets = append(buckets, []any{rule, num(b.Lower), num(b.Upper), num(b.Count)})
	}
	if len(buckets) > 0 {
		out["buckets"] = buckets
	}
	return out
}

func jsonResult(v parser.Value) map[string]any {
	switch v := v.(type) {
	case promql.Vector:
		out := []any{}
		for _, s := range v {
			m := map[string]any{"metric": s.Metric.Map()}
			if s.H != nil {
				m["histogram"] = jsonHistogramResult(s.H)
			} else {
				m["value"] = num(s.F)
			}
			out = append(out, m)
		}
		return map[string]any{"type": "vector", "result": out}
	case promql.Matrix:
		out := []any{}
		for _, s := range v {
			fs, hs := []any{}, []any{}
			for _, p := range s.Floats {
				fs = append(fs, []any{p.T, num(p.F)})
			}
			for _, p := range s.Histograms {
				hs = append(hs, []any{p.T, jsonHistogramResult(p.H)})
			}
			out = append(out, map[string]any{"metric": s.Metric.Map(), "values": fs, "histograms": hs})
		}
		return map[string]any{"type": "matrix", "result": out}
	case promql.Scalar:
		return map[string]any{"type": "scalar", "result": num(v.V)}
	case promql.String:
		return map[string]any{"type": "string", "result": v.V}
	}
	return nil
}

func answer(m *memory, r request) map[string]any {
	switch r.Op {
	case "parse":
		e, err := newParser(r.Flags).ParseExpr(r.Q)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		p := e.PositionRange()
		return map[string]any{"printed": e.String(), "pretty": parser.Prettify(e), "type": e.Type(), "span": []int{int(p.Start), int(p.End)}}
	case "load":
		m.all = r.Series
		for i := range m.all {
			s := &m.all[i]
			s.lset = labels.FromMap(s.Labels)
			for _, row := range s.Samples {
				t, _ := strconv.ParseInt(string(row[0]), 10, 64)
				p := point{t: t}
				if len(row) > 2 {
					var h jsonHistogram
					if err := json.Unmarshal(row[2], &h); err != nil {
						return map[string]any{"error": err.Error()}
					}
					p.h = h.float()
				} else {
					p.f = number(row[1])
				}
				s.points = append(s.points, p)
			}
		}
		return map[string]any{}
	case "query":
		eng := newEngine(r.Flags, r.Delayed)
		var q promql.Query
		var err error
		if r.Step == 0 {
			q, err = eng.NewInstantQuery(context.Background(), m, nil, r.Q, time.UnixMilli(r.Start))
		} else {
			q, err = eng.NewRangeQuery(context.Background(), m, nil, r.Q, time.UnixMilli(r.Start), time.UnixMilli(r.End), time.Duration(r.Step)*time.Millisecond)
		}
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		res := q.Exec(context.Background())
		if res.Err != nil {
			return map[string]any{"error": res.Err.Error()}
		}
		w, i := res.Warnings.AsStrings(r.Q, 0, 0)
		sort.Strings(w)
		sort.Strings(i)
		return map[string]any{"data": jsonResult(res.Value), "warnings": w, "infos": i}
	}
	return map[string]any{"error": "unknown op " + r.Op}
}

func main() {
	m := &memory{}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var r request
			var a map[string]any
			if e := json.Unmarshal(line, &r); e != nil {
				a = map[string]any{"error": e.Error()}
			} else {
				a = answer(m, r)
			}
			b, e := json.Marshal(a)
			if e != nil {
				b = []byte(fmt.Sprintf(`{"error":%q}`, e.Error()))
			}
			out.Write(b)
			out.WriteByte('\n')
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}
