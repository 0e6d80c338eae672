#include "discovery/replica_wrapper_options.h"

#include <charconv>
#include <optional>

#include <fmt/core.h>

namespace weir {
namespace {

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

uint32_t* number_field(ReplicaWrapperOptions& options, std::string_view name) {
  if (name == "--replica") return &options.index;
  if (name == "--local-index") return &options.local_index;
  if (name == "--first-gpu") return &options.first_gpu;
  if (name == "--gpus") return &options.gpus;
  if (name == "--grace") return &options.grace_seconds;
  return nullptr;
}

std::string* text_field(ReplicaWrapperOptions& options, std::string_view name) {
  if (name == "--serve") return &options.serve;
  if (name == "--id") return &options.id;
  if (name == "--node") return &options.node;
  return nullptr;
}

Problem bad(std::string what) {
  return {fmt::format("{}: {}", kReplicaWrapperCommand, what),
          "this command is weir's own; use weir launch"};
}

}  // namespace

Result<ReplicaWrapperOptions, Problem> parse_replica_wrapper(
    const std::vector<std::string>& arguments) {
  ReplicaWrapperOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--local" || name == "--try") {
      (name == "--local" ? options.is_local : options.is_trial) = true;
      continue;
    }
    uint32_t* const number = number_field(options, name);
    std::string* const text = text_field(options, name);
    if (number == nullptr && text == nullptr) {
      return bad(fmt::format("unknown option \"{}\"", name));
    }
    if (++i == arguments.size()) return bad(fmt::format("{} needs a value", name));
    if (text != nullptr) {
      *text = arguments[i];
      continue;
    }
    const auto value = parse_number(arguments[i]);
    if (!value) return bad(fmt::format("{}: \"{}\" is not a number", name, arguments[i]));
    *number = *value;
  }
  if (options.is_trial) return options;
  if (options.serve.empty()) return bad("--serve is missing");
  if (options.gpus > 1024 || options.first_gpu > 1024) return bad("too many GPUs");
  if (options.grace_seconds > 3600) return bad("--grace is at most 3600");
  return options;
}

std::vector<std::string> replica_wrapper_arguments(const ReplicaWrapperOptions& options) {
  std::vector<std::string> arguments{"--id",          options.id,
                                     "--node",        options.node,
                                     "--replica",     fmt::format("{}", options.index),
                                     "--local-index", fmt::format("{}", options.local_index),
                                     "--first-gpu",   fmt::format("{}", options.first_gpu),
                                     "--gpus",        fmt::format("{}", options.gpus),
                                     "--grace",       fmt::format("{}", options.grace_seconds)};
  if (options.is_local) arguments.emplace_back("--local");
  arguments.insert(arguments.end(), {"--serve", options.serve});
  return arguments;
}

ReplicaWrapperOptions wrapper_options(const PlannedReplica& replica,
                                      const ReplicaServeOptions& serve) {
  ReplicaWrapperOptions options;
  options.serve = serve.serve;
  options.id = replica.id;
  options.node = replica.node;
  options.index = replica.index;
  options.local_index = replica.local_index;
  options.first_gpu = replica.first_gpu;
  options.gpus = replica.gpus;
  options.grace_seconds = serve.grace_seconds;
  options.is_local = serve.is_local;
  return options;
}

}  // namespace weir
