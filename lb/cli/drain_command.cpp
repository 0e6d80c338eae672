#include "lb/cli/drain_command.h"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "lb/admin/admin_client.h"
#include "lb/admin/backend_action.h"
#include "lb/admin/instance_json.h"
#include "lb/cli/instances.h"
#include "lb/cli/messages.h"
#include "lb/config/suggest.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kForAnswer = std::chrono::seconds(5);
constexpr Duration kBetweenLooks = std::chrono::milliseconds(100);
constexpr int kFailed = 1;
constexpr int kUnreachable = 5;
constexpr int kTimedOut = 6;
constexpr size_t kMostNames = 20;  // in a message

std::vector<const BackendView*> backends_of(const InstanceView& view) {
  std::vector<const BackendView*> out;
  for (const PoolView& pool : view.pools) {
    for (const BackendView& backend : pool.backends) out.push_back(&backend);
  }
  return out;
}

const BackendView* find_by_name(const InstanceView& view, const std::string& name) {
  for (const BackendView* backend : backends_of(view)) {
    if (backend->id == name) return backend;
  }
  return nullptr;
}

// By name, or by an address that only one has.
const BackendView* find_backend(const InstanceView& view, const std::string& wanted) {
  if (const BackendView* backend = find_by_name(view, wanted)) return backend;
  const BackendView* found = nullptr;
  for (const BackendView* backend : backends_of(view)) {
    if (backend->address != wanted) continue;
    if (found != nullptr) return nullptr;
    found = backend;
  }
  return found;
}

Problem no_such_backend(const InstanceView& view, const std::string& wanted) {
  std::vector<std::string_view> names;
  for (const BackendView* backend : backends_of(view)) names.push_back(backend->id);
  const std::string what = "no backend is called \"" + wanted.substr(0, 128) + "\"";
  if (names.empty()) return {what, "this weir has no backends now; weir status shows it"};
  const std::string_view near = suggest(wanted, names);
  std::string help = near.empty() ? "" : "did you mean " + std::string(near) + "? ";
  help += "there are ";
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    help += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  if (names.size() > kMostNames) {
    help += " and " + std::to_string(names.size() - kMostNames) + " more: weir status";
  }
  return {what, help};
}

std::string requests(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " request" : " requests") + " outstanding";
}

int failed(const Problem& problem, int code) {
  print_error(problem);
  return code;
}

// nullopt: not yet. `backend` is nullptr when it is gone.
std::optional<int> outcome(const BackendView* backend, const DrainOptions& options) {
  if (options.is_drain && backend == nullptr) return print_result("it is gone\n") ? 0 : kFailed;
  if (backend == nullptr)
    return failed({"the backend is gone", "weir status shows the others"}, kFailed);
  if (!options.is_drain) {
    if (backend->state != BackendStateName::ready) return std::nullopt;
    return print_result(backend->id + ": ready\n") ? 0 : kFailed;
  }
  if (backend->state != BackendStateName::draining) {
    return failed(
        {"somebody took " + backend->id + " back: it is " + std::string(to_string(backend->state)),
         "weir drain takes it out again"},
        kFailed);
  }
  if (backend->outstanding > 0) return std::nullopt;
  return print_result(backend->id + ": drained\n") ? 0 : kFailed;
}

int wait_for(const Address& address, const std::string& id, const DrainOptions& options) {
  const TimePoint begun = Clock::now();
  while (true) {
    const Result<InstanceView, Problem> view = ask_instance(address);
    if (!view) return failed(view.error(), kUnreachable);
    const BackendView* backend = find_by_name(*view, id);
    if (const std::optional<int> code = outcome(backend, options)) return *code;
    if (options.timeout > Duration::zero() && Clock::now() - begun >= options.timeout) {
      return failed({id + " is " + std::string(to_string(backend->state)) + " with " +
                         requests(backend->outstanding) + " after the time that was given",
                     "it goes on; weir status shows it"},
                    kTimedOut);
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

int act(const Instance& instance, const DrainOptions& options) {
  const BackendView* found = find_backend(instance.view, options.backend);
  if (found == nullptr) return failed(no_such_backend(instance.view, options.backend), kFailed);
  const char* token = ::getenv("WEIR_ADMIN_TOKEN");
  const std::string path = backend_action_path({found->id, options.is_drain});
  const Result<AdminReply, Problem> reply =
      admin_post(instance.address, path, token == nullptr ? "" : token, kForAnswer);
  if (!reply) return failed(reply.error(), kUnreachable);
  if (reply->status == 401) {
    return failed({"the admin token is missing or wrong",
                   "set WEIR_ADMIN_TOKEN to admin.token, or to what weir printed at its start"},
                  kFailed);
  }
  if (reply->status != 200) return failed(parse_refusal(reply->body), kFailed);
  const Result<InstanceView, Problem> now = ask_instance(instance.address);
  const BackendView* backend = now ? find_by_name(*now, found->id) : nullptr;
  if (backend != nullptr &&
      !print_result(backend->id + ": " + std::string(to_string(backend->state)) + ", " +
                    requests(backend->outstanding) + "\n")) {
    return kFailed;
  }
  return options.waits ? wait_for(instance.address, found->id, options) : 0;
}

}  // namespace

int run_drain(const DrainOptions& options) {
  const Instances instances =
      options.admin.empty() ? find_instances(options.instance) : find_instance_at(options.admin);
  if (instances.found.empty()) return failed(instances.problem, kUnreachable);
  if (instances.found.size() > 1) return tell_several(instances.found);
  return act(instances.found.front(), options);
}

}  // namespace weir
