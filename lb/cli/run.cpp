#include "lb/cli/run.h"

#include "bench/mock/mock_server.h"
#include "discovery/replica_wrapper.h"
#include "discovery/run_key.h"
#include "lb/app/process.h"
#include "lb/cli/bench_command.h"
#include "lb/cli/check_command.h"
#include "lb/cli/command_line.h"
#include "lb/cli/explain.h"
#include "lb/cli/messages.h"
#include "lb/config/config_load.h"
#include "lb/launch/launch_run.h"
#include "lb/observe/logging.h"

namespace weir {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kLaunchFailed = 125;  // before COMMAND ran

int usage(const std::vector<Problem>& problems) {
  print_errors(problems);
  return kUsage;
}

// Everybody may read there, and backends, models and load are nobody else's business.
void warn_of_wide_admin(const AdminConfig& admin) {
  const std::string& host = admin.address.host;
  const bool is_local =
      admin.address.is_unix || host == "localhost" || host == "::1" || host.starts_with("127.");
  if (admin.where != AdminConfig::Where::address || is_local) return;
  print_note("the admin side on " + to_string(admin.address) + " can be read by all who reach it");
}

// Over TCP anybody can knock: a POST needs a token, and nobody can be asked for one that nobody
// chose.
bool ensure_admin_token(AdminConfig& admin) {
  const bool is_tcp = admin.where == AdminConfig::Where::address && !admin.address.is_unix;
  if (!is_tcp || !admin.token.empty()) return true;
  Result<std::string, Problem> token = make_run_key();
  if (!token) {
    print_error(token.error());
    return false;
  }
  admin.token = std::move(*token);
  print_note("the admin token, for weir drain over TCP: WEIR_ADMIN_TOKEN=" + admin.token);
  return true;
}

int serve(const CommandLine& line) {
  Config config = default_config(line.command);
  if (!line.config_file.empty() && !load_or_complain(line.config_file, &config)) return kUsage;
  std::vector<Problem> problems = apply_flags(line.serve, &config);
  if (problems.empty()) problems = check_config(config);
  if (!problems.empty()) return usage(problems);
  warn_of_wide_admin(config.admin);
  if (!ensure_admin_token(config.admin)) return kFailed;
  const Logging logging(config.log.level);
  return run_serve(config);
}

int launch(const CommandLine& line) {
  LaunchOptions options;
  options.command = line.rest;
  options.config = default_config(Command::launch);
  std::vector<Problem> problems = apply_flags(line.serve, &options.config);
  for (Problem& problem : apply_launch_flags(line.launch, &options)) {
    problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return usage(problems);
  warn_of_wide_admin(options.config.admin);
  if (!ensure_admin_token(options.config.admin)) return kLaunchFailed;
  const Logging logging(options.config.log.level);
  return run_launch(options);
}

int mock(const CommandLine& line) {
  MockOptions options;
  const std::vector<Problem> problems = apply_mock_flags(line.mock, &options);
  if (!problems.empty()) return usage(problems);
  const Logging logging(LogLevel::info);
  return run_mock(options);
}

int replica(const CommandLine& line) {
  const Result<ReplicaWrapperOptions, Problem> options = parse_replica_wrapper(line.rest);
  if (!options) return usage({options.error()});
  return run_replica_wrapper(*options);
}

int explained(const std::string& code) {
  const Result<std::string, Problem> text = explain(code);
  if (!text) return usage({text.error()});
  return print_result(*text) ? 0 : 1;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const Result<CommandLine, Problem> line = parse_command_line(arguments);
  if (!line) return usage({line.error()});
  for (const std::string& note : line->notes) print_note(note);
  switch (line->action) {
    case CommandLine::Action::print:
      return print_result(line->text) ? 0 : 1;
    case CommandLine::Action::serve:
      return serve(*line);
    case CommandLine::Action::launch:
      return launch(*line);
    case CommandLine::Action::mock:
      return mock(*line);
    case CommandLine::Action::bench:
      return run_bench_command(line->bench, arguments);
    case CommandLine::Action::compare:
      return run_compare(line->compare);
    case CommandLine::Action::check:
      return run_check(line->check);
    case CommandLine::Action::status:
      return run_status(line->status);
    case CommandLine::Action::drain:
      return run_drain(line->drain);
    case CommandLine::Action::explain:
      return explained(line->text);
    case CommandLine::Action::replica:
      return replica(*line);
  }
  return kUsage;
}

}  // namespace weir
