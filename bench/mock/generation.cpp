#include "bench/mock/generation.h"

#include <algorithm>

#include "bench/mock/answer_text.h"
#include "bench/mock/connection.h"
#include "bench/mock/pretend_server.h"

namespace weir {
namespace {

constexpr Duration kShortWhile = std::chrono::milliseconds(5);

}  // namespace

Generation::Generation(PretendServer& server, MockConnection& connection, InferenceRequest request,
                       const Fault& fault)
    : server_(server),
      connection_(connection),
      request_(std::move(request)),
      fault_(fault),
      head_(server.new_answer(request_, connection.request().request_id)),
      events_(head_),
      fault_timer_(server.loop().timers(), bind<&Generation::on_fault_due>(this)) {
  const size_t count = request_.prompts.size() * request_.choices;
  choices_.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    Choice& choice = choices_.emplace_back(Choice{Sequence(*this)});
    Sequence& sequence = choice.sequence;
    sequence.index = i;
    const InferencePrompt& prompt = prompt_of(choice);
    const uint32_t room = server.options().max_model_len -
                          prompt.tokens;  // the parser has seen to it that there is some
    const uint32_t wanted =
        request_.max_tokens > 0 ? request_.max_tokens : natural_length(prompt.key);
    sequence.prompt_tokens = prompt.tokens;
    sequence.max_tokens = std::min(wanted, room);
    reasons_.emplace_back(request_.max_tokens > 0 || wanted > room ? "length" : "stop");
    sequence.is_held =
        fault.kind == FaultKind::hang_in_prefill || fault.kind == FaultKind::die_in_prefill;
    if (fault.kind == FaultKind::slow_prefill) sequence.more_prefill = fault.delay;
  }
  unfinished_ = count;
}

Generation::~Generation() {
  stop();
}

void Generation::start() {
  // The head comes before the queue, as in the real one.
  if (request_.is_stream &&
      !connection_.write(stream_head(connection_.should_close(), server_.date())))
    return;
  if (fault_.kind == FaultKind::die_in_prefill)
    fault_timer_.start(std::max(fault_.delay, kShortWhile));
  for (Choice& choice : choices_) server_.submit(choice.sequence);
}

void Generation::stop() {
  is_over_ = true;
  fault_timer_.cancel();
  for (Choice& choice : choices_) server_.release(choice.sequence);
}

void Generation::on_client_left() {
  if (!is_over_) ++server_.counters().aborted;
}

void Generation::abort() {
  if (!is_over_) end_with_abort(nullptr);
}

void Generation::on_token(Sequence& sequence) {
  if (is_over_) return;
  Choice& choice = choices_[sequence.index];
  if (strikes_now()) {
    strike(choice);
    return;
  }
  ++written_;
  if (sequence.is_done()) {
    choice.is_finished = true;
    --unfinished_;
  }
  if (request_.is_stream) {
    write_token(choice);
  } else {
    ++choice.words;
    if (unfinished_ == 0) finish_plain();
  }
}

void Generation::on_fault_due() {
  server_.die();
}

bool Generation::strikes_now() const {
  switch (fault_.kind) {
    case FaultKind::die_mid_stream:
    case FaultKind::reset_mid_stream:
    case FaultKind::fin_mid_stream:
    case FaultKind::hang_mid_stream:
    case FaultKind::abort:
    case FaultKind::error_event:
      return written_ >= fault_.tokens;
    default:
      return false;
  }
}

void Generation::strike(Choice& choice) {
  switch (fault_.kind) {
    case FaultKind::die_mid_stream:
      if (!request_.is_stream) cut_plain_in_half();
      server_.die();
      return;
    case FaultKind::reset_mid_stream:
      if (!request_.is_stream) cut_plain_in_half();
      connection_.reset();
      return;
    case FaultKind::fin_mid_stream:
      if (!request_.is_stream) cut_plain_in_half();
      connection_.close();
      return;
    case FaultKind::hang_mid_stream:
      for (Choice& each : choices_) each.sequence.is_held = true;
      return;
    case FaultKind::abort:
      end_with_abort(&choice);
      return;
    default:
      fail_with_engine_error();
  }
}

void Generation::write_token(Choice& choice) {
  std::string& out = server_.scratch();
  out.clear();
  const std::string_view word = next_word(choice);
  ++choice.words;
  append_roles(out);
  const TokenUsage now = usage_of(choice);
  const TokenUsage* usage = request_.wants_usage_always ? &now : nullptr;
  if (choice.is_finished) {
    events_.append_last(out, choice.sequence.index, word, reasons_[choice.sequence.index],
                        !request_.wants_usage, usage);
  } else {
    events_.append_token(out, choice.sequence.index, word, usage);
  }
  if (connection_.write(out) && unfinished_ == 0) finish_stream();
}

// The end is two writes, as uvicorn does it.
void Generation::finish_stream() {
  std::string& out = server_.scratch();
  out.clear();
  if (request_.wants_usage) events_.append_usage(out, usage());
  out += kDoneChunk;
  is_over_ = true;
  for (const std::string_view reason : reasons_) server_.count_success(reason);
  if (connection_.write(out) && connection_.write(kLastChunk)) connection_.finish_response();
}

void Generation::finish_plain() {
  is_over_ = true;
  for (const std::string_view reason : reasons_) server_.count_success(reason);
  connection_.answer({.body = plain_body()});
}

void Generation::fail_with_engine_error() {
  stop();
  if (!request_.is_stream) {
    connection_.answer({.status = 500, .body = engine_error().body()});
    return;
  }
  if (connection_.write(kEngineErrorChunk) && connection_.write(kDoneChunk) &&
      connection_.write(kLastChunk)) {
    connection_.finish_response();
  }
}

// The head promises all of it.
void Generation::cut_plain_in_half() {
  const PlainAnswer answer{.body = plain_body(), .should_close = connection_.should_close()};
  const std::string_view body = answer.body;
  if (connection_.write(plain_head(answer, server_.date())))
    connection_.write(body.substr(0, body.size() / 2));
}

// `current` has just got a token that was not written yet.
void Generation::end_with_abort(Choice* current) {
  stop();
  std::string& out = server_.scratch();
  out.clear();
  if (request_.is_stream) append_roles(out);
  for (Choice& choice : choices_) {
    if (choice.is_finished) continue;
    const bool has_word = choice.words > 0 || &choice == current;
    const std::string_view word = has_word ? next_word(choice) : std::string_view();
    if (has_word) ++choice.words;
    choice.is_finished = true;
    reasons_[choice.sequence.index] = "abort";
    if (!request_.is_stream) continue;
    const TokenUsage now = usage_of(choice);
    events_.append_last(out, choice.sequence.index, word, "abort", !request_.wants_usage,
                        request_.wants_usage_always ? &now : nullptr);
  }
  if (!request_.is_stream) {
    finish_plain();
  } else if (connection_.write(out)) {
    finish_stream();
  }
}

void Generation::append_roles(std::string& out) {
  if (has_roles_ || !request_.is_chat) return;
  has_roles_ = true;
  for (const Choice& choice : choices_) {
    const TokenUsage before{prompt_of(choice).tokens, 0};
    events_.append_role(out, choice.sequence.index,
                        request_.wants_usage_always ? &before : nullptr);
  }
}

std::string_view Generation::next_word(const Choice& choice) const {
  return answer_word(prompt_of(choice).key, choice.sequence.index % request_.choices, choice.words);
}

const InferencePrompt& Generation::prompt_of(const Choice& choice) const {
  return request_.prompts[choice.sequence.index / request_.choices];
}

std::string Generation::plain_body() {
  std::string choices;
  for (const Choice& choice : choices_) {
    const uint32_t index = choice.sequence.index;
    const uint64_t key = prompt_of(choice).key;
    append_choice(
        choices, request_.is_chat,
        {index, answer_text(key, index % request_.choices, choice.words), reasons_[index]});
  }
  return answer_body(head_, choices, usage());
}

TokenUsage Generation::usage() const {
  TokenUsage sum;
  for (const InferencePrompt& prompt : request_.prompts) sum.prompt += prompt.tokens;
  for (const Choice& choice : choices_) sum.generated += choice.words;
  return sum;
}

TokenUsage Generation::usage_of(const Choice& choice) const {
  return {prompt_of(choice).tokens, choice.words};
}

}  // namespace weir
