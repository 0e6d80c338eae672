#include "bench/engine/preflight.h"

#include <fmt/format.h>

#include "bench/engine/json_input.h"
#include "bench/engine/plain_request.h"

namespace weir {
namespace {

constexpr Duration kForAnswer = std::chrono::seconds(10);
constexpr uint32_t kFewWords = 16;
constexpr uint32_t kManyWords = 80;

Result<Ok, Problem> look_up(BenchTarget* target) {
  Result<std::vector<SocketAddress>, Problem> found = resolve(target->address);
  if (!found) return found.error();
  target->addresses = std::make_shared<const std::vector<SocketAddress>>(std::move(*found));
  return Ok{};
}

std::optional<int64_t> count_chat(const BenchOptions& options, const BenchTarget& target,
                                  uint32_t words) {
  std::string model;
  append_escaped(options.work.model, &model);
  const std::string body =
      fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"{}"}}]}})", model,
                  plain_words(words));
  const Result<PlainReply, Problem> reply =
      plain_request(target, "/tokenize", request_fields(options), body, kForAnswer);
  if (!reply || reply->status != 200) return std::nullopt;
  return token_count(reply->body);
}

// Our words are a token each if more of them are so many tokens more.
void measure_template(BenchOptions* options, const BenchTarget& target) {
  const bool has_own_texts = !options->work.prompts.empty();
  if (!options->work.is_chat || has_own_texts) return;
  const std::optional<int64_t> few = count_chat(*options, target, kFewWords);
  if (!few) return;
  const std::optional<int64_t> many = count_chat(*options, target, kManyWords);
  if (!many || *many - *few != kManyWords - kFewWords || *few < kFewWords) return;
  options->work.chat_overhead = static_cast<int32_t>(*few - kFewWords);
}

}  // namespace

std::string request_fields(const BenchOptions& options) {
  std::string fields;
  if (!options.api_key.empty()) fields += "Authorization: Bearer " + options.api_key + "\r\n";
  for (const auto& [name, value] : options.headers) fields += name + ": " + value + "\r\n";
  return fields;
}

Result<Ok, Problem> look_at_targets(BenchOptions* options, ProgressLine& progress,
                                    bool* nothing_reachable) {
  const std::string fields = request_fields(*options);
  const BenchTarget* first = nullptr;
  Problem problem{"there is no target", ""};
  for (BenchTarget& target : options->targets) {
    target.addresses = std::make_shared<const std::vector<SocketAddress>>();
    const Result<Ok, Problem> found = look_up(&target);
    if (!found) problem = found.error();
    const Result<PlainReply, Problem> reply =
        found ? plain_request(target, "/v1/models", fields, {}, kForAnswer)
              : Result<PlainReply, Problem>(found.error());
    if (!reply) {
      problem = reply.error();
      progress.say("weir: note: " + problem.what);
      continue;
    }
    if (first == nullptr) first = &target;
    if (options->work.model.empty() && reply->status == 200) {
      options->work.model = first_model(reply->body);
    }
  }
  *nothing_reachable = first == nullptr;
  if (first == nullptr) return problem;
  if (options->work.model.empty()) {
    return Problem{first->url + " does not say which model it has", "give --model NAME"};
  }
  measure_template(options, *first);
  return Ok{};
}

}  // namespace weir
