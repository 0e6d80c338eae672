#include "lb/cli/command_words.h"

#include <algorithm>
#include <array>

#include "lb/config/suggest.h"
#include "lb/config/units.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 15> kCommands{
    "serve", "reverse-proxy", "launch",  "mock",   "bench",      "compare", "check", "status",
    "drain", "undrain",       "explain", "schema", "completion", "version", "help"};
// Commands of the plan that this version does not have: named, so that the answer is not "unknown".
constexpr std::array<std::string_view, 4> kLater{"top", "reload", "add", "remove"};

constexpr std::array<FlagRow<ProxyFlags>, 3> kProxyRows{{
    {"--insecure", &ProxyFlags::insecure, "taken and without effect: no TLS to backends"},
    {"-r,--disable-redirects", &ProxyFlags::disable_redirects,
     "taken and without effect: nothing is redirected"},
    {"-i,--internal-certs", &ProxyFlags::internal_certs, "taken and without effect: no TLS"},
}};
constexpr std::array<FlagRow<StatusOptions>, 5> kStatusRows{{
    {"--json", &StatusOptions::json, "as JSON"},
    {"--watch", &StatusOptions::watch, "again every second"},
    {"--instance", "PID|NAME", &StatusOptions::instance, "which one, when several run"},
    {"--admin", "ADDR", &StatusOptions::admin, "ask this admin address"},
    {"--file", "PUBLISHED", &StatusOptions::file, "ask whom a published file names"},
}};

}  // namespace

std::span<const FlagRow<ProxyFlags>> proxy_flag_rows() {
  return kProxyRows;
}
std::span<const FlagRow<StatusOptions>> status_option_rows() {
  return kStatusRows;
}

Result<std::string, Problem> command_of(const std::vector<std::string>& arguments) {
  const std::string& first = arguments.front();
  if (std::ranges::find(kCommands, first) != kCommands.end()) return first;
  if (first.starts_with("-") || first.find_first_of(":/[") != std::string::npos) {
    return std::string("serve");
  }
  const std::string list = "weir --help lists the commands";
  if (std::ranges::find(kLater, first) != kLater.end()) {
    return Problem{"\"weir " + first + "\" is not in this version", list};
  }
  const std::string_view near = suggest(first, kCommands);
  return Problem{"unknown command \"" + first.substr(0, 80) + "\"",
                 near.empty() ? list : "did you mean \"weir " + std::string(near) + "\"?"};
}

Problem unknown_word(const std::string& command, const std::string& word,
                     const std::vector<std::string>& options) {
  const std::string help = "weir " + command + " --help lists the options";
  if (!word.starts_with('-')) {
    return {"weir " + command + ": unexpected argument \"" + word.substr(0, 80) + "\"", help};
  }
  const std::string bare = word.substr(0, std::min(word.find('='), size_t{80}));
  const std::vector<std::string_view> known(options.begin(), options.end());
  const std::string_view near = suggest(bare, known);
  return {"weir " + command + ": unknown option " + bare,
          near.empty() ? help : "did you mean " + std::string(near) + "?"};
}

Result<Ok, Problem> apply_proxy_flags(const ProxyFlags& flags, CommandLine* line) {
  line->command = Command::reverse_proxy;
  for (std::string& from : line->serve.listen) {
    const Result<Address, Problem> address = parse_from(from, &line->notes);
    if (!address) return address.error();
    from = to_string(*address);
  }
  const auto note = [line](bool is_given, std::string_view flag, std::string_view why) {
    if (is_given) line->notes.push_back(std::string(flag) + " has no effect: " + std::string(why));
  };
  note(flags.insecure, "--insecure", "there is no TLS to backends in this version");
  note(flags.disable_redirects, "--disable-redirects", "weir redirects nothing");
  note(flags.internal_certs, "--internal-certs", "there is no TLS in this version");
  // What people write for Caddy so that Host is the backend's own.
  const auto is_placeholder = [](const std::string& rule) {
    return rule.starts_with("Host:") && rule.ends_with("hostport}");
  };
  if (std::erase_if(line->serve.header_up, is_placeholder) > 0) {
    line->serve.change_host_header = true;
  }
  return Ok{};
}

Result<Ok, Problem> apply_status_flags(const StatusFlags& flags, StatusOptions* status) {
  if (!flags.wait_ready.empty()) {
    const Result<uint64_t, Problem> count = parse_count(flags.wait_ready, 1, 1'000'000);
    if (!count) return Problem{"--wait-ready: " + count.error().what, "write --wait-ready N"};
    status->wait_ready = static_cast<uint32_t>(*count);
  }
  if (!flags.timeout.empty()) {
    const Result<Duration, Problem> timeout = parse_duration(flags.timeout);
    if (!timeout) return Problem{"--timeout: " + timeout.error().what, timeout.error().help};
    status->timeout = *timeout;
  }
  return Ok{};
}

Result<Ok, Problem> apply_drain_flags(const DrainFlags& flags, DrainOptions* drain) {
  const std::string command = drain->is_drain ? "weir drain" : "weir undrain";
  if (drain->backend.empty()) {
    return Problem{command + ": no backend was named",
                   "write " + command + " BACKEND; weir status lists them"};
  }
  if (flags.timeout.empty()) return Ok{};
  if (!drain->waits) return Problem{"--timeout is of --wait", "add --wait"};
  const Result<Duration, Problem> timeout = parse_duration(flags.timeout);
  if (!timeout) return Problem{"--timeout: " + timeout.error().what, timeout.error().help};
  drain->timeout = *timeout;
  return Ok{};
}

CommandLine::Action action_of(std::string_view command) {
  using Action = CommandLine::Action;
  constexpr std::array<std::pair<std::string_view, Action>, 12> kActions{{
      {"serve", Action::serve},
      {"reverse-proxy", Action::serve},
      {"launch", Action::launch},
      {"mock", Action::mock},
      {"bench", Action::bench},
      {"compare", Action::compare},
      {"check", Action::check},
      {"schema", Action::check},
      {"status", Action::status},
      {"drain", Action::drain},
      {"undrain", Action::drain},
      {"explain", Action::explain},
  }};
  const auto found = std::ranges::find(kActions, command, &decltype(kActions)::value_type::first);
  return found == kActions.end() ? Action::print : found->second;
}

}  // namespace weir
