import { type Board, labelVariable } from "../../src/board.ts";
import { orZero, rate } from "../../src/expr.ts";
import { graph, number } from "../../src/panels.ts";

const JOB = 'job=~"$service"';

export const node: Board = {
  name: "node",
  title: "Node runtime",
  about: "Event loop, memory, garbage collection and handles of Node processes.",
  page: "/services",
  variables: [labelVariable("service", "Service", { metric: "nodejs_version_info", label: "job" }, { all: true })],
  rows: [
    {
      title: "Now",
      panels: [
        number("Processes", `count(process_start_time_seconds{${JOB}})`, { unit: "short", width: 6, plain: true }),
        number("Youngest started", `max(process_start_time_seconds{${JOB}}) * 1000`, {
          unit: "dateTimeFromNow",
          width: 6,
          plain: true,
        }),
        number("Worst event loop delay, p99", `max(nodejs_eventloop_lag_p99_seconds{${JOB}})`, {
          unit: "s",
          width: 6,
          warnAt: [0.1, 0.25],
        }),
        number("Memory of all", `sum(process_resident_memory_bytes{${JOB}})`, { unit: "bytes", width: 6 }),
      ],
    },
    {
      title: "Event loop and processor",
      panels: [
        graph(
          "Event loop delay",
          [
            { expr: `max by (job) (nodejs_eventloop_lag_p50_seconds{${JOB}})`, legend: "{{job}} p50" },
            { expr: `max by (job) (nodejs_eventloop_lag_p99_seconds{${JOB}})`, legend: "{{job}} p99" },
          ],
          {
            unit: "s",
            limit: 0.25,
            about: "Everything that a process serves waits this long. Its timer ticks every 10 ms, so 0.01 s is idle.",
          },
        ),
        graph(
          "Longest delay",
          [{ expr: `max by (job) (nodejs_eventloop_lag_max_seconds{${JOB}})`, legend: "{{job}}" }],
          {
            unit: "s",
          },
        ),
        graph(
          "Processor",
          [
            { expr: rate(`process_cpu_user_seconds_total{${JOB}}`, ["job"]), legend: "{{job}} user" },
            { expr: rate(`process_cpu_system_seconds_total{${JOB}}`, ["job"]), legend: "{{job}} system" },
          ],
          { unit: "short", about: "Cores. Node runs JavaScript on one of them.", limit: 0.9 },
        ),
        graph(
          "Garbage collection",
          [{ expr: rate(`nodejs_gc_duration_seconds_sum{${JOB}}`, ["job", "kind"]), legend: "{{job}} {{kind}}" }],
          { unit: "percentunit", about: "Part of the time spent collecting.", limit: 0.1 },
        ),
      ],
    },
    {
      title: "Memory",
      panels: [
        graph("Resident", [{ expr: `sum by (job) (process_resident_memory_bytes{${JOB}})`, legend: "{{job}}" }], {
          unit: "bytes",
        }),
        graph(
          "Heap",
          [
            { expr: `sum by (job) (nodejs_heap_size_used_bytes{${JOB}})`, legend: "{{job}} used" },
            { expr: `sum by (job) (nodejs_heap_size_total_bytes{${JOB}})`, legend: "{{job}} total" },
          ],
          { unit: "bytes" },
        ),
        graph(
          "Heap spaces",
          [{ expr: `sum by (space) (nodejs_heap_space_size_used_bytes{${JOB}})`, legend: "{{space}}" }],
          { unit: "bytes", stacked: true, about: "`old` that only grows is a leak." },
        ),
        graph(
          "Outside the heap",
          [{ expr: `sum by (job) (nodejs_external_memory_bytes{${JOB}})`, legend: "{{job}}" }],
          {
            unit: "bytes",
            about: "Buffers, mostly.",
          },
        ),
      ],
    },
    {
      title: "Handles",
      panels: [
        graph("Active resources", [{ expr: `sum by (type) (nodejs_active_resources{${JOB}})`, legend: "{{type}}" }], {
          unit: "short",
          width: 8,
          stacked: true,
        }),
        graph(
          "Open files",
          [{ expr: `max by (job) (process_open_fds{${JOB}} / process_max_fds{${JOB}})`, legend: "{{job}}" }],
          { unit: "percentunit", width: 8, limit: 0.8, about: "Of what the process may open." },
        ),
        graph(
          "Restarts",
          [
            {
              expr: orZero(`sum by (job) (changes(process_start_time_seconds{${JOB}}[$__rate_interval]))`),
              legend: "{{job}}",
            },
          ],
          { unit: "short", width: 8 },
        ),
      ],
    },
  ],
};
