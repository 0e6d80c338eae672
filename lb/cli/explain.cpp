#include "lb/cli/explain.h"

#include <algorithm>
#include <array>
#include <vector>

#include "weir/error.h"

#include "lb/config/suggest.h"

namespace weir {
namespace {

struct Advice {
  std::string_view name;
  std::string_view text;
};

// What to do, by the word of a log line, a metric or an error body.
constexpr std::array<Advice, 37> kErrors{{
    {"bad_request", "Look at what the client sends; the message names the rule it broke."},
    {"head_too_large", "Raise listen[].max_head, or send fewer or shorter headers."},
    {"body_too_large", "Send less at once."},
    {"method_unsupported", "Inference is asked for by POST, lists by GET."},
    {"version_unsupported", "Let the client speak HTTP/1.1; HTTP/2 needs a proxy before weir."},
    {"expectation_failed", "Leave the Expect header out, or send 100-continue."},
    {"coding_unsupported", "Send the body as it is or chunked, and Content-Encoding for the rest."},
    {"model_not_found", "GET /v1/models lists the models that are served."},
    {"internal", "A bug in weir: please report it with the log lines around it."},
    {"target_too_long", "Put long parameters into the body."},
    {"path_unknown", "Ask for an inference path under /v1, or forward more with --paths all."},
    {"path_not_allowed",
     "Ask the engine directly, or forward it on purpose with --paths unsafe-all."},
    {"unauthorized", "Send the run's key as Authorization: Bearer KEY."},
    {"request_head_timeout",
     "The client or the network between is slow; see listen[].request_head."},
    {"request_body_timeout",
     "The client or the network between is slow; see listen[].request_body."},
    {"client_gone",
     "Nothing is wrong here: the client closed its connection and its generation was stopped."},
    {"write_stall", "The client reads nothing; see listen[].write_stall."},
    {"tunnel_idle", "Let the client send pings, or raise timeouts.tunnel."},
    {"queue_full", "More backends, a higher --queue-limit, or fewer clients at once."},
    {"queue_timeout", "More backends, or a longer --queue-timeout."},
    {"request_deadline", "A longer timeouts.request, more backends, or fewer requests at once."},
    {"backends_loading", "Wait: `weir status --wait-ready` returns when a backend is ready."},
    {"no_backend_ready",
     "`weir status` says of each backend why not; a drained one comes back by weir undrain."},
    {"draining", "weir got SIGTERM and finishes what it has; ask again, or another instance."},
    {"out_of_memory", "Requests with large bodies are waiting; see replay.total."},
    {"connect_refused",
     "Nothing listens there: the server has not come up, or is gone; look at its log."},
    {"connect_timeout",
     "The host drops packets or is overloaded; try to reach it with curl from here."},
    {"connect_failed",
     "No route, or the name does not resolve; try to reach it with curl from here."},
    {"backend_closed", "The server died or was restarted; look at its log."},
    {"bad_response", "What answers there is not an HTTP server, or one that breaks the protocol."},
    {"first_byte_timeout", "A longer timeouts.first_byte, or fewer requests at once per backend."},
    {"between_bytes_timeout",
     "The engine hangs or is overloaded; look at its log, or raise timeouts.between_bytes."},
    {"gateway_status",
     "Something before the engine answers in its place, or the engine is not ready; look there."},
    {"stream_silent",
     "The server hung after its port had closed; it was being stopped or is stuck."},
    {"stream_interrupted", "The server died in the middle of an answer; look at its log."},
    {"backend_declined",
     "It was busy or shutting down; the request went to another one, and for a moment others are "
     "asked first. Often: a lower max_outstanding for it."},
    {"stream_aborted", "The engine was being stopped; what it had begun is lost."},
}};

constexpr std::array<Advice, 9> kStates{{
    {"starting", "its process is being started; it gets no requests yet"},
    {"loading",
     "it refuses connections or answers 503 and has never been ready: a model takes minutes to "
     "load"},
    {"untried", "nothing is known of it yet; a request may try it"},
    {"ready", "it answers probes and gets requests"},
    {"suspect",
     "a probe failed, but not yet health.fall times in a row, and it still gets requests; or it "
     "holds requests and has sent nothing for health.stuck_after while others send, and gets no "
     "more of them"},
    {"ejected",
     "requests to it failed health.eject.failures times in a row, whatever its probes say; after a "
     "while, longer each time, one request tries it"},
    {"draining",
     "somebody took it out with weir drain: it finishes what it has and gets no more; weir undrain "
     "brings it back"},
    {"down", "it was ready and is no longer; the reason in `weir status` says since what"},
    {"failed", "all restarts are spent; look at its log"},
}};

// What stands for a reason without being an error of weir's.
constexpr std::array<Advice, 1> kOthers{{
    {"stream_error",
     "the backend put an error event into its stream; it was passed on, and counts as a failure"},
}};

std::string error_text(const ErrorTraits& of, std::string_view advice) {
  std::string out = std::string(of.name) + ": " + std::string(of.message) + "\n";
  if (of.status > 0)
    out += "  answered with " + std::to_string(of.status) + ", code " + std::string(of.code) + "\n";
  if (of.against_health) out += "  counts against the health of the backend\n";
  if (!advice.empty()) out += "  what to do: " + std::string(advice) + "\n";
  return out;
}

std::string_view advice_for(std::string_view name) {
  const auto found = std::ranges::find(kErrors, name, &Advice::name);
  return found == kErrors.end() ? std::string_view() : found->text;
}

}  // namespace

std::vector<std::string> explained_words() {
  std::vector<std::string> words;
  for (const Advice& state : kStates) words.emplace_back(state.name);
  for (const Advice& other : kOthers) words.emplace_back(other.name);
  for (int i = 0; i < kErrorKinds; ++i) {
    const ErrorTraits& of = traits(static_cast<ErrorKind>(i));
    words.emplace_back(of.name);
    words.emplace_back(of.code);
  }
  std::ranges::sort(words);
  const auto doubles = std::ranges::unique(words);
  words.erase(doubles.begin(), doubles.end());
  return words;
}

Result<std::string, Problem> explain(const std::string& code) {
  std::string out;
  for (const Advice& state : kStates) {
    if (state.name == code) out += "a backend is " + code + ": " + std::string(state.text) + "\n";
  }
  for (const Advice& other : kOthers) {
    if (other.name == code) out += code + ": " + std::string(other.text) + "\n";
  }
  for (int i = 0; i < kErrorKinds; ++i) {  // several kinds may share the code of an error body
    const ErrorTraits& of = traits(static_cast<ErrorKind>(i));
    if (of.name == code || of.code == code) out += error_text(of, advice_for(of.name));
  }
  if (!out.empty()) return out;
  const std::vector<std::string> known = explained_words();
  if (code.empty()) {
    out = "codes and states:\n";
    for (const std::string& word : known) out += "  " + word + "\n";
    return out;
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  const std::string_view near = suggest(code, names);
  return Problem{
      "nothing is called \"" + code.substr(0, 80) + "\"",
      near.empty() ? "weir explain lists the codes" : "did you mean " + std::string(near) + "?"};
}

}  // namespace weir
