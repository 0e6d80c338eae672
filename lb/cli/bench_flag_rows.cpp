// The table of the flags of `weir bench`.
#include "lb/cli/bench_flags.h"

namespace weir {
namespace {

using F = BenchFlags;

constexpr FlagRow<BenchFlags> kRows[] = {
    {"--to", "URL", &F::to, "a balancer or a server, like URL (repeatable: round robin)"},
    {"--direct", "URL", &F::direct, "backends, chosen among by --policy (repeatable)"},
    {"--ab", &F::ab, "--to against --direct, request by request in one run"},
    {"--policy", "NAME", &F::policy, "of --direct; default least_outstanding"},
    {"-H,--header", "'NAME: VALUE'", &F::headers, "sent with each request (repeatable)"},
    {"--api-key", "KEY", &F::api_key, "default $OPENAI_API_KEY"},

    {"--rate", "R[:R2][/D],...", &F::rate,
     "open loop: requests a second, a ramp in time, or stages"},
    {"--arrival", "KIND", &F::arrival, "poisson (default), constant, gamma:SHAPE, onoff:5s/15s"},
    {"--concurrency", "N", &F::concurrency, "closed loop: so many requests in flight"},
    {"--users", "N", &F::users, "closed loop: users who pause to --think"},
    {"--think", "D", &F::think, "mean pause of a user and between turns; default 0"},
    {"--requests", "N", &F::requests, "so many, then it ends"},
    {"--duration", "D", &F::duration, "so long, then it ends; default 30s"},
    {"--warm-up", "D", &F::warm_up, "left out of the result; default 0"},
    {"--grace", "D", &F::grace, "for what is in flight at the end; default 30s"},
    {"--max-inflight", "N", &F::max_in_flight, "of an open loop: more wait here"},
    {"--request-timeout", "D", &F::request_timeout, "of each request; default 10m"},
    {"--sweep", "A,B,...", &F::sweep, "a run for each rate, or for each concurrency"},
    {"--find-max", &F::find_max, "the highest rate, or concurrency, that holds --slo"},
    {"--precision", "P", &F::precision, "of --find-max; default 0.05"},

    {"--model", "NAME", &F::model, "default the first of /v1/models"},
    {"--input-tokens", "LENGTH", &F::input,
     "512 (default), uniform:100-900, normal:500,100, lognormal:600,0.8,max=8000"},
    {"--output-tokens", "LENGTH|off", &F::output,
     "as --input-tokens; default 128; off: the model ends by itself"},
    {"--prefix", "TOKENSxGROUPS", &F::prefix, "before the prompt, shared by a group"},
    {"--turns", "N", &F::turns, "of a conversation; default 1"},
    {"--prompts", "FILE", &F::prompts, "prompts, one a line: JSONL or plain text"},
    {"--trace", "FILE", &F::trace, "requests at the times and of the lengths of a trace"},
    {"--trace-format", "KIND", &F::trace_format,
     "mooncake, bailian, azure, burstgpt or weir; default by its look"},
    {"--speed", "X", &F::speed, "of the trace; default 1"},
    {"--body", "JSON", &F::body, "members that replace ours in each request; null removes"},
    {"--ignore-eos", "on|off", &F::ignore_eos,
     "answers of exactly the asked length; default on, with --prompts off"},
    {"--completions", &F::completions, "/v1/completions with token ids, not chat"},
    {"--no-stream", &F::no_stream, "whole answers, not event streams"},
    {"--seed", "N", &F::seed, "default 0"},

    {"--at", "D ACTION", &F::at,
     "drain BACKEND, undrain BACKEND or exec 'COMMAND' at that time (repeatable)"},
    {"--admin", "ADDR", &F::admin, "where drain is sent; default the weir that runs here"},

    {"--workers", "N", &F::workers, "threads; default 1"},
    {"--receive-times", "kernel|user", &F::receive_times, "default kernel, where there are"},
    {"--progress", "auto|lines|off", &F::progress, "on stderr; default auto"},

    {"--slo", "EXPR", &F::slo, "'ttft_p99<500ms,itl_p99<50ms'; a breach is exit status 3"},
    {"--goodput", "LIMIT", &F::goodput, "'ttft:500ms,tpot:50ms' of each request"},
    {"--fail-on", "EXPR", &F::fail_on, "'errors>0'; exit status 1"},
    {"--allow-failed", &F::allow_failed, "failed requests are no exit status 1"},
    {"--out", "FILE|DIR", &F::out, "run.json, or a directory for all of the files"},
    {"--jsonl", "FILE", &F::jsonl, "a line for each request"},
    {"--html", "FILE", &F::html, "the report as one page"},
    {"--md", "FILE", &F::markdown, "the report as Markdown"},
    {"--junit", "FILE", &F::junit, "the verdicts as JUnit"},
    {"--json", &F::json, "run.json on stdout in place of the table"},
    {"--detailed", &F::detailed, "arrays of all requests in run.json"},
    {"--percentiles", "LIST", &F::percentiles, "default 50,90,99"},
    {"--metadata", "K=V", &F::metadata, "into run.json (repeatable)"},
};

}  // namespace

const char* const kBenchFooter =
    "weir bench http://gateway:8080 --rate 20 --duration 2m --input-tokens 1024 --slo "
    "'ttft_p99<500ms'\n"
    "weir bench --direct http://n[01-08]:8000 --concurrency 256 --requests 5000 --out results/\n"
    "weir bench http://gateway:8080 --at 10s drain n01-0 --at 20s exec 'ssh n02 pkill -9 vllm'\n"
    "COMMAND is one word, so quote it; /bin/sh -c runs it on this machine, without waiting.\n"
    "Exit status: 0 ok, 1 requests failed, 2 usage, 3 SLO breached, 4 not trusted, 5 nothing "
    "reachable,\n130 interrupted (the results so far are kept). D is a duration: 500ms, 30s, 10m.";

std::span<const FlagRow<BenchFlags>> bench_flag_rows() {
  return kRows;
}

}  // namespace weir
