#include "lb/config/setting_table.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

using enum SettingKind;

constexpr std::array<Setting, 56> kSettings{{
    {"listen[].address", address, "", "--listen",
     "where clients connect; :PORT is all addresses, port 0 a free one"},
    {"listen[].request_head", duration, "", "", "for a request head, from its first byte on"},
    {"listen[].request_body", duration, "", "", "between two reads of a request body"},
    {"listen[].idle", duration, "", "", "of a connection between two requests"},
    {"listen[].max_head", size, "", "", "of a request head"},
    {"listen[].client_half_close", choice, "abort|ignore", "",
     "a client's FIN means it left, or nothing"},
    {"listen[].write_stall", duration, "", "", "of a client that takes nothing of its answer"},
    {"listen[].trusted_proxies", texts, "", "",
     "ranges whose X-Forwarded-* are kept and extended, not replaced"},
    {"admin.address", text, "", "--admin", "socket (of this user), an address or off"},
    {"admin.token", text, "", "",
     "asked of who drains over TCP; made at start if absent; ${file:PATH}, ${env:NAME}"},
    {"workers", count_or_auto, "", "--workers", "threads with clients; auto: one a CPU, 4 at most"},
    {"max_connections", count_or_auto, "", "",
     "of clients; auto: what the limit of descriptors allows"},
    {"via", flag, "", "", "\"Via: 1.1 weir\" in requests and responses"},
    {"paths", choice, "inference|all|unsafe-all", "--paths", "which request paths are forwarded"},
    {"policy", choice, "least_outstanding|round_robin|random|two_choices", "--policy",
     "who is chosen"},
    {"max_outstanding_per_backend", count_or_no_limit, "", "--max-outstanding",
     "requests at one backend at once"},
    {"queue.limit", count_or_no_limit, "", "--queue-limit", "requests that may wait for a backend"},
    {"queue.timeout", duration_or_off, "", "--queue-timeout", "how long each may wait"},
    {"timeouts.connect", duration, "", "", "to a backend"},
    {"timeouts.first_byte", duration_or_off, "", "",
     "from a request to the first byte of its answer"},
    {"timeouts.between_bytes", duration_or_off, "", "", "of an answer"},
    {"timeouts.request", duration_or_off, "", "",
     "from a request to the beginning of its answer, all attempts together"},
    {"timeouts.hold", duration, "", "",
     "an event stream's head waits for its first event; 0: not at all"},
    {"timeouts.tunnel", duration_or_off, "", "", "of an upgraded connection without traffic"},
    {"retry.attempts", count, "", "", "sends of one request, the first included"},
    {"retry.budget", share, "", "", "second sends as a share of all requests; 0 to 1"},
    {"health.path", text, "", "--health-path", "what probes ask for, or off"},
    {"health.interval", duration, "", "", "between two probes"},
    {"health.timeout", duration, "", "", "of a probe"},
    {"health.rise", count, "", "", "good probes in a row that make ready"},
    {"health.fall", count, "", "", "bad probes in a row that make down"},
    {"health.fast_interval", duration, "", "", "between two probes after trouble"},
    {"health.slow_start", duration_or_off, "", "",
     "a backend that comes back gets its full share after so long"},
    {"health.stuck_after", duration_or_off, "", "",
     "no byte of a backend for so long while others send makes suspect"},
    {"health.eject.failures", count, "", "",
     "failed requests in a row that eject; \"eject\": \"off\" for never"},
    {"health.eject.base", duration, "", "", "ejected for so long, then twice that, and so on"},
    {"health.eject.most", duration, "", "", "up to this"},
    {"abort", choice, "error|pass", "", "what an answer that the engine aborted becomes"},
    {"backends[].name", text, "", "", "as metrics and logs call it; default host:port"},
    {"backends[].url", text, "", "URL, --to",
     "http://host:port; node[01-08]:8000 and host:8000-8007 expand"},
    {"backends[].weight", count, "", "", "its share, beside the others'"},
    {"backends[].max_outstanding", count, "", "", "instead of the pool's"},
    {"backends[].api_key", text, "", "",
     "sent in place of the client's; ${file:PATH}, ${env:NAME}, ${credential:NAME}"},
    {"discover[].file", text, "", "--discover",
     "a launcher file, a pattern of them or a directory, followed"},
    {"discover[].interval", duration, "", "", "between two looks at it"},
    {"discover[].owners", texts, "", "", "users whose files are believed, beside our own"},
    {"header_up", texts, "", "--header-up",
     "\"Name: value\" sets, \"+Name: value\" adds, \"-Name\" removes, in requests"},
    {"header_down", texts, "", "--header-down", "the same in responses"},
    {"change_host_header", flag, "", "--change-host-header", "Host becomes the backend's address"},
    {"replay.per_request", size, "", "", "of a request body kept to be sent again"},
    {"replay.total", size, "", "", "of all those bodies"},
    {"log.level", choice, "debug|info|warning|error", "--log-level",
     "of the operational log, on stderr"},
    {"log.access.format", choice, "json", "", "one line a request"},
    {"log.access.output", text, "", "--access-log", "stdout, stderr, a file's path or off"},
    {"drain.timeout", duration, "", "", "for running requests after SIGTERM"},
    {"$schema", text, "", "", "for editors; not looked at"},
}};

}  // namespace

std::string_view to_string(SettingKind kind) noexcept {
  switch (kind) {
    case text:
      return "text";
    case address:
      return "address";
    case duration:
      return "duration";
    case duration_or_off:
      return "duration or \"off\"";
    case size:
      return "size";
    case count:
      return "number";
    case count_or_no_limit:
      return "number or \"unlimited\"";
    case count_or_auto:
      return "number or \"auto\"";
    case share:
      return "number from 0 to 1";
    case flag:
      return "true or false";
    case choice:
      return "one of";
    case texts:
      return "array of texts";
  }
  return "text";
}

std::span<const Setting> all_settings() {
  return kSettings;
}

const Setting* find_setting(std::string_view path) {
  const auto found = std::ranges::find(kSettings, path, &Setting::path);
  return found == kSettings.end() ? nullptr : &*found;
}

}  // namespace weir
