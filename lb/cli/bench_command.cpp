#include "lb/cli/bench_command.h"

#include <algorithm>

#include "bench/report/make_report.h"
#include "lb/admin/admin_socket.h"
#include "lb/cli/messages.h"
#include "lb/observe/logging.h"
#include "lb/observe/version.h"

namespace weir {
namespace {

constexpr int kUsage = 2;

// An order needs to know to which weir; when one runs here, it is that one.
Result<Ok, Problem> find_admin(ChaosOptions* chaos) {
  const auto is_order = [](const ChaosAction& action) {
    return action.kind == ChaosAction::Kind::post;
  };
  if (chaos->has_admin || std::ranges::none_of(chaos->actions, is_order)) return Ok{};
  const std::vector<FoundInstance> found = find_admin_sockets(AdminHome::of_process());
  if (found.size() != 1) {
    return Problem{found.empty() ? "--at: no weir of yours runs here to be told"
                                 : "--at: several weirs run here",
                   "say which by --admin ADDR"};
  }
  chaos->admin = found.front().address;
  chaos->has_admin = true;
  return Ok{};
}

}  // namespace

int run_bench_command(const BenchFlags& flags, const std::vector<std::string>& arguments) {
  BenchOptions options;
  const std::vector<Problem> problems = apply_bench_flags(flags, &options);
  if (!problems.empty()) {
    print_errors(problems);
    return kUsage;
  }
  if (const Result<Ok, Problem> admin = find_admin(&options.chaos); !admin) {
    print_errors({admin.error()});
    return kUsage;
  }
  const Result<std::unique_ptr<RunSink>, Problem> sink = make_report(report_options(flags));
  if (!sink) {
    print_errors({sink.error()});
    return kUsage;
  }
  options.arguments = mask_keys(arguments);
  options.version = version();
  const Logging logging(LogLevel::warning);
  return run_bench(std::move(options), **sink);
}

}  // namespace weir
