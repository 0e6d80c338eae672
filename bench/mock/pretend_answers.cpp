// PretendServer's answers: what each route says, and where faults enter.
#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "bench/mock/answer_text.h"
#include "bench/mock/generation.h"
#include "bench/mock/pretend_server.h"

namespace weir {
namespace {

constexpr uint32_t kEmbeddingSize = 16;
constexpr size_t kLongestId = 256;
constexpr uint32_t kMostTokenIds = 100'000;

PlainAnswer answer_of(const ApiError& error) {
  return {.status = error.status, .body = error.body()};
}

PlainAnswer answer_of(const Problem& problem) {
  return answer_of(ApiError{400, problem.what + "; " + problem.help, "BadRequestError", "fault"});
}

bool is_for_requests(FaultKind kind) {
  switch (kind) {
    case FaultKind::die:
    case FaultKind::http_500:
    case FaultKind::http_503:
    case FaultKind::die_in_prefill:
    case FaultKind::die_mid_stream:
    case FaultKind::reset_mid_stream:
    case FaultKind::fin_mid_stream:
    case FaultKind::hang_in_prefill:
    case FaultKind::hang_mid_stream:
    case FaultKind::slow_prefill:
    case FaultKind::abort:
    case FaultKind::error_event:
      return true;
    default:
      return false;
  }
}

// Between -1 and 1, by the prompt.
double embedding_value(uint64_t key, uint32_t index) {
  return static_cast<double>(mix(key + index) % 20001) / 10000.0 - 1.0;
}

std::string embedding_object(const InferencePrompt& prompt, size_t index) {
  std::string values;
  for (uint32_t i = 0; i < kEmbeddingSize; ++i) {
    if (i > 0) values += ',';
    values += fmt::format("{:.4f}", embedding_value(prompt.key, i));
  }
  return fmt::format(R"({{"index":{},"object":"embedding","embedding":[{}]}})", index, values);
}

}  // namespace

std::string_view PretendServer::date() {
  return date_.at(::time(nullptr));
}

void PretendServer::handle(MockConnection& connection) {
  ++counters_.http_requests;
  const MockRequest& request = connection.request();
  if (request.is_websocket) {
    connection.answer(
        {.status = 403, .content_type = "text/plain; charset=utf-8", .should_close = true});
    return;
  }
  if (!options_.api_key.empty() && is_guarded(request.path()) &&
      !has_key(request.authorization, options_.api_key)) {
    connection.answer({.status = 401, .body = R"({"error":"Unauthorized"})"});
    return;
  }
  Fault fault;
  if (!request.fault.empty()) {
    const Result<Fault, Problem> parsed = parse_fault(request.fault, FaultPlace::request_header);
    if (!parsed) {
      connection.answer(answer_of(parsed.error()));
      return;
    }
    fault = *parsed;
    connection.set_idle_fault(fault);
  }
  RouteMatch match = match_route(request);
  if (match.route == MockRoute::refused) {
    connection.answer(std::move(match.refusal));
  } else {
    dispatch(connection, match.route, fault);
  }
}

void PretendServer::dispatch(MockConnection& connection, MockRoute route, const Fault& fault) {
  switch (route) {
    case MockRoute::refused:
      return;
    case MockRoute::chat:
    case MockRoute::completions:
      start_inference(connection, route == MockRoute::chat, fault);
      return;
    case MockRoute::embeddings:
      answer_embeddings(connection);
      return;
    case MockRoute::tokenize:
      answer_tokenize(connection);
      return;
    case MockRoute::health:
      answer_health(connection, fault);
      return;
    case MockRoute::version:
      connection.answer({.body = R"({"version":"0.32.0"})"});
      return;
    case MockRoute::models:
      answer_models(connection);
      return;
    case MockRoute::load:
      connection.answer({.body = fmt::format(R"({{"server_load":{}}})", load())});
      return;
    case MockRoute::metrics:
      connection.answer({.body = metrics_text(options_.model, counters_, gauges()),
                         .content_type = "text/plain; version=1.0.0; charset=utf-8"});
      return;
    case MockRoute::fault:
      take_fault(connection);
      return;
  }
}

void PretendServer::answer_health(MockConnection& connection, const Fault& fault) {
  if (fault.kind == FaultKind::hang_health || find_fault(FaultKind::hang_health) != nullptr) return;
  const bool is_ill =
      fault.kind == FaultKind::unhealthy || find_fault(FaultKind::unhealthy) != nullptr;
  connection.answer({.status = is_ill ? 503 : 200, .content_type = {}});
}

void PretendServer::answer_models(MockConnection& connection) {
  const std::string model = json_escaped(options_.model);
  connection.answer(
      {.body = fmt::format(
           R"({{"object":"list","data":[{{"id":"{}","object":"model","created":{},)"
           R"("owned_by":"vllm",)"
           R"("root":"{}","parent":null,"max_model_len":{},)"
           R"("permission":[{{"id":"modelperm-{:016x}",)"
           R"("object":"model_permission","created":{},"allow_create_engine":false,)"
           R"("allow_sampling":true,"allow_logprobs":true,"allow_search_indices":false,)"
           R"("allow_view":true,"allow_fine_tuning":false,"organization":"*","group":null,)"
           R"("is_blocking":false}}]}}]}})",
           model, started_, model, options_.max_model_len, mix(++next_id_), started_)});
}

void PretendServer::answer_embeddings(MockConnection& connection) {
  ++counters_.requests;
  if (!is_json(connection.request().content_type)) {
    connection.answer(answer_of(wrong_media_type()));
    return;
  }
  const Result<std::vector<InferencePrompt>, ApiError> prompts =
      parse_embeddings(connection.request().body, limits());
  if (!prompts) {
    connection.answer(answer_of(prompts.error()));
    return;
  }
  std::string data;
  uint64_t tokens = 0;
  for (size_t i = 0; i < prompts->size(); ++i) {
    if (i > 0) data += ',';
    data += embedding_object((*prompts)[i], i);
    tokens += (*prompts)[i].tokens;
  }
  connection.answer(
      {.body = fmt::format(
           R"({{"id":"embd-{:016x}","object":"list","created":{},"model":"{}","data":[{}],)"
           R"("usage":{{"prompt_tokens":{},"total_tokens":{},"completion_tokens":0,)"
           R"("prompt_tokens_details":null}}}})",
           mix(++next_id_), ::time(nullptr), json_escaped(options_.model), data, tokens, tokens)});
}

void PretendServer::answer_tokenize(MockConnection& connection) {
  const Result<InferencePrompt, ApiError> prompt =
      parse_tokenize(connection.request().body, limits());
  if (!prompt) {
    connection.answer(answer_of(prompt.error()));
    return;
  }
  std::string ids;
  for (uint32_t i = 0; i < std::min(prompt->tokens, kMostTokenIds); ++i) {
    if (i > 0) ids += ',';
    ids += fmt::to_string(mix(prompt->key + i) % 32000);
  }
  connection.answer(
      {.body = fmt::format(R"({{"count":{},"max_model_len":{},"tokens":[{}],"token_strs":null}})",
                           prompt->tokens, options_.max_model_len, ids)});
}

void PretendServer::take_fault(MockConnection& connection) {
  const Result<FaultOrder, ApiError> order = parse_fault_order(connection.request().body);
  if (!order) {
    connection.answer(answer_of(order.error()));
    return;
  }
  const Result<Fault, Problem> parsed = parse_fault(order->fault, FaultPlace::admin);
  if (!parsed) {
    connection.answer(answer_of(parsed.error()));
    return;
  }
  Fault fault = *parsed;
  if (order->count > 0) fault.count = order->count;
  // Answered and closed first: what is ordered may be the end.
  connection.answer(
      {.body = fmt::format(R"({{"fault":"{}"}})", to_string(fault)), .should_close = true});
  apply(fault);
}

void PretendServer::apply(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::none:
      faults_.clear();
      return;
    case FaultKind::die:
      die();
      return;
    case FaultKind::term_abort:
      terminate(OnTerm::abort);
      return;
    case FaultKind::term_drain:
      terminate(OnTerm::drain);
      return;
    case FaultKind::term_hang:
      terminate(OnTerm::hang);
      return;
    case FaultKind::term_exit:
      terminate(OnTerm::exit);
      return;
    default:
      faults_ = {fault};
  }
}

void PretendServer::start_inference(MockConnection& connection, bool is_chat, Fault fault) {
  ++counters_.requests;
  if (!is_json(connection.request().content_type)) {
    connection.answer(answer_of(wrong_media_type()));
    return;
  }
  Result<InferenceRequest, ApiError> request =
      parse_inference(connection.request().body, is_chat, limits());
  if (!request) {
    connection.answer(answer_of(request.error()));
    return;
  }
  if (!is_for_requests(fault.kind)) fault = take_request_fault();
  if (fault.kind == FaultKind::die) {
    die();
    return;
  }
  if (state_ == State::ending || fault.kind == FaultKind::http_500) {
    const bool is_draining = state_ == State::ending && ending_how_ == OnTerm::drain;
    connection.answer(answer_of(is_draining ? after_shutdown_error() : engine_error()));
    return;
  }
  const bool is_full = options_.queue_limit > 0 && engine_.waiting() >= options_.queue_limit;
  if (is_full || fault.kind == FaultKind::http_503) {
    ++counters_.rejected;
    connection.answer(answer_of(busy_error()));
    return;
  }
  connection.set_generation(
      std::make_unique<Generation>(*this, connection, *std::move(request), fault));
  connection.generation()->start();
}

// The first of the server's own faults that strikes requests; one that is counted is used up.
Fault PretendServer::take_request_fault() {
  const auto it =
      std::ranges::find_if(faults_, [](const Fault& fault) { return is_for_requests(fault.kind); });
  if (it == faults_.end()) return {};
  const Fault fault = *it;
  if (it->count > 0 && --it->count == 0) faults_.erase(it);
  return fault;
}

const Fault* PretendServer::find_fault(FaultKind kind) const {
  const auto it = std::ranges::find(faults_, kind, &Fault::kind);
  return it == faults_.end() ? nullptr : &*it;
}

bool PretendServer::drops_reused(const Fault& own) const {
  return own.kind == FaultKind::drop_reused || find_fault(FaultKind::drop_reused) != nullptr;
}

Duration PretendServer::idle_limit(const Fault& own) const {
  if (own.kind == FaultKind::close_idle_at_once) return own.delay;
  const Fault* fault = find_fault(FaultKind::close_idle_at_once);
  return fault != nullptr ? fault->delay : options_.idle_close;
}

AnswerHead PretendServer::new_answer(const InferenceRequest& request, std::string_view request_id) {
  AnswerHead head;
  std::string id = request.request_id.empty() ? std::string(request_id) : request.request_id;
  if (id.empty()) id = fmt::format("{:016x}", mix(++next_id_));
  head.id = (request.is_chat ? "chatcmpl-" : "cmpl-") + json_escaped(id.substr(0, kLongestId));
  head.model = json_escaped(options_.model);
  head.fingerprint =
      fmt::format("vllm-0.32.0-{:08x}", static_cast<uint32_t>(mix(prompt_key(options_.model))));
  head.created = ::time(nullptr);
  head.is_chat = request.is_chat;
  return head;
}

void PretendServer::count_success(std::string_view finish_reason) {
  if (finish_reason == "stop") {
    ++counters_.ended_stop;
  } else if (finish_reason == "length") {
    ++counters_.ended_length;
  } else {
    ++counters_.ended_abort;
  }
}

EngineGauges PretendServer::gauges() const {
  return {engine_.running(),          engine_.waiting(),       engine_.held_tokens(),
          engine_.generated_tokens(), engine_.prompt_tokens(), connections_.size()};
}

}  // namespace weir
