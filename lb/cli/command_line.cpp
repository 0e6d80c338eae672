#include "lb/cli/command_line.h"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "discovery/replica_wrapper_options.h"
#include "lb/cli/command_words.h"
#include "lb/observe/version.h"

namespace weir {
namespace {

using Words = std::vector<std::string>;

// What CLI11 writes into; a CommandLine is made from it.
struct Parsed {
  CommandLine line;
  std::string access_log;  // "true" = given without a value
  ProxyFlags proxy;
  StatusFlags status;
  DrainFlags drain;
};

void text(CLI::App* app, const std::string& name, std::string& value, const std::string& help,
          const std::string& type) {
  app->add_option(name, value, help)->option_text(type)->take_last();
}

void text(CLI::App* app, const std::string& name, std::optional<std::string>& value,
          const std::string& help, const std::string& type) {
  app->add_option_function<std::string>(
         name, [&value](const std::string& given) { value = given; }, help)
      ->option_text(type)
      ->take_last();
}

void list(CLI::App* app, const std::string& name, Words& values, const std::string& help,
          const std::string& type) {
  app->add_option(name, values, help)->allow_extra_args(false)->option_text(type)->take_all();
}

// The flags that serve, reverse-proxy and launch share.
void add_serve_flags(CLI::App* app, Parsed& parsed) {
  ServeFlags& flags = parsed.line.serve;
  text(app, "--policy", flags.policy, "who is chosen; default least_outstanding",
       "least_outstanding|round_robin|random|two_choices");
  text(app, "--max-outstanding", flags.max_outstanding,
       "requests at one backend at once; default 256", "N|unlimited");
  text(app, "--queue-limit", flags.queue_limit, "requests that may wait for a backend",
       "N|unlimited");
  text(app, "--queue-timeout", flags.queue_timeout, "how long a request may wait", "D|off");
  text(app, "--workers", flags.workers, "threads; default auto, one a CPU, 4 at most", "N|auto");
  text(app, "--paths", flags.paths, "which request paths are forwarded",
       "inference|all|unsafe-all");
  text(app, "--health-path", flags.health_path, "what probes ask for; default /health", "P|off");
  text(app, "--admin", flags.admin, "where status and metrics are; default a unix socket",
       "ADDR|off");
  app->add_flag("--access-log", parsed.access_log, "one JSON line a request, to stdout or a file")
      ->option_text("[=PATH|=off]");
  text(app, "--log-level", flags.log_level, "default info", "debug|info|warning|error");
}

void add_header_flags(CLI::App* app, ServeFlags& flags) {
  list(app, "-H,--header-up", flags.header_up, "set, +add or -remove a request header (repeatable)",
       "'NAME: VALUE'");
  list(app, "-d,--header-down", flags.header_down, "the same for response headers",
       "'NAME: VALUE'");
  app->add_flag("-c,--change-host-header", flags.change_host_header, "Host becomes the backend's");
}

void add_serve(CLI::App& root, Parsed& parsed) {
  CLI::App* app = root.add_subcommand("serve", "run the balancer over the URLs, or as a file says");
  ServeFlags& flags = parsed.line.serve;
  text(app, "-c,--config", parsed.line.config_file, "the config file", "FILE");
  list(app, "--listen", flags.listen, "default 127.0.0.1:8080 (repeatable)", "ADDR");
  list(app, "--to", flags.backends, "a backend, like URL (repeatable)", "URL");
  list(app, "--discover", flags.discover, "follow a launcher file (repeatable)", "FILE|DIR");
  add_serve_flags(app, parsed);
  app->add_option("urls", flags.backends,
                  "http://host:port; node[01-08]:8000 and host:8000-8007 expand")
      ->option_text("URL...");
}

void add_reverse_proxy(CLI::App& root, Parsed& parsed) {
  CLI::App* app =
      root.add_subcommand("reverse-proxy", "the same with the flags of caddy reverse-proxy");
  ServeFlags& flags = parsed.line.serve;
  list(app, "-f,--from,--listen", flags.listen, "default 127.0.0.1:8080", "ADDR");
  list(app, "-t,--to", flags.backends, "a backend (repeatable)", "URL");
  list(app, "--discover", flags.discover, "follow a launcher file (repeatable)", "FILE|DIR");
  add_header_flags(app, flags);
  app->add_flag("-v,--debug", flags.debug, "as --log-level debug");
  add_serve_flags(app, parsed);
  app->add_flag("--insecure", parsed.proxy.insecure,
                "taken and without effect: no TLS to backends");
  app->add_flag("-r,--disable-redirects", parsed.proxy.disable_redirects,
                "taken and without effect: nothing is redirected");
  app->add_flag("-i,--internal-certs", parsed.proxy.internal_certs,
                "taken and without effect: no TLS");
}

void add_launch(CLI::App& root, Parsed& parsed) {
  CLI::App* app = root.add_subcommand("launch", "start replicas, serve, run COMMAND, clean up");
  LaunchFlags& flags = parsed.line.launch;
  app->footer(
      "weir launch --serve 'vllm serve MODEL --port {port}' -- COMMAND {url} ...\n"
      "COMMAND gets {url} {model} {concurrency} {replicas} filled in and OPENAI_BASE_URL set; "
      "without\n"
      "COMMAND it serves until told to stop. D is a duration with its unit: 500ms, 30s, 10m.");
  text(app, "--serve", flags.serve,
       "starts a replica; {port} {host} {gpu} {replica} {node} {model}", "'COMMAND LINE'");
  text(app, "--gpus-per-replica", flags.gpus_per_replica, "default 1", "N");
  text(app, "--replicas", flags.replicas, "default as many as there are GPUs for", "N");
  text(app, "--model", flags.model, "the model's name, for {model}", "NAME");
  text(app, "--listen", flags.listen, "default a free port of 127.0.0.1", "ADDR");
  text(app, "--wait-ready", flags.wait_ready, "replicas that COMMAND waits for; default 1",
       "N|all");
  text(app, "--concurrency-per-replica", flags.concurrency_per_replica,
       "default 64; times replicas is {concurrency}", "N");
  text(app, "--restarts", flags.restarts, "of each replica; default 3", "N");
  text(app, "--start-timeout", flags.start_timeout, "until a replica is ready; default 30m", "D");
  text(app, "--drain-before", flags.drain_before,
       "COMMAND gets SIGTERM so long before the job's end", "D");
  text(app, "--publish", flags.publish, "write what runs, for weir serve --discover", "FILE");
  text(app, "--publish-group", flags.publish_group, "the group may read it too", "GROUP");
  text(app, "--client-env", flags.client_env, "set OPENAI_* for COMMAND; default openai",
       "openai|off");
  text(app, "--log-dir", flags.log_dir, "for the replicas' output; default weir-logs", "DIR");
  text(app, "--report", flags.report, "the summary as JSON", "FILE");
  text(app, "--binding", flags.binding, "who gives a replica its GPUs; default pick", "pick|slurm");
  text(app, "--srun-args", flags.srun_args, "more options for srun", "'...'");
  app->add_flag("--local", flags.local, "processes of this machine, even inside a job");
  app->add_flag("--plan", flags.plan, "print the layout and the commands, run nothing");
  add_serve_flags(app, parsed);
  add_header_flags(app, parsed.line.serve);
}

void add_mock(CLI::App& root, Parsed& parsed) {
  CLI::App* app =
      root.add_subcommand("mock", "a pretend vLLM, for trying everything without a GPU");
  MockFlags& flags = parsed.line.mock;
  list(app, "--listen", flags.listen, "default 127.0.0.1:8000; one pretend server each",
       "ADDR[,ADDR...]");
  text(app, "--model", flags.model, "default mock", "NAME");
  text(app, "--api-key", flags.api_key, "asked of clients; default $VLLM_API_KEY", "KEY");
  text(app, "--load-time", flags.load_time, "from start until it listens", "D");
  text(app, "--ttft", flags.ttft, "to the first token; default 50ms", "D");
  text(app, "--itl", flags.itl, "between two tokens; default 10ms", "D");
  text(app, "--prefill-per-token", flags.prefill_per_token, "of the prompt; default 20us", "D");
  text(app, "--batch-slowdown", flags.batch_slowdown,
       "of a step by each running sequence; default 0.01", "X");
  text(app, "--max-seqs", flags.max_seqs, "sequences at once; default 256", "N");
  text(app, "--queue-limit", flags.queue_limit, "waiting requests beyond which 503 is answered",
       "N");
  text(app, "--max-model-len", flags.max_model_len, "default 32768", "N");
  text(app, "--idle-close", flags.idle_close, "of a connection; default 5s", "D");
  text(app, "--on-term", flags.on_term, "default abort", "abort|drain|hang|exit");
  text(app, "--drain-timeout", flags.drain_timeout, "of --on-term drain; default 30s", "D");
  list(app, "--fault", flags.faults, "goes wrong on purpose (repeatable)", "KIND[:WHEN]");
}

void add_drain(CLI::App& root, Parsed& parsed, const std::string& name, const std::string& help) {
  CLI::App* app = root.add_subcommand(name, help);
  DrainOptions& options = parsed.line.drain;
  app->add_flag("--wait", options.waits,
                name == "drain" ? "until it has no requests" : "until it is ready");
  text(app, "--timeout", parsed.drain.timeout, "of --wait; default none", "D");
  text(app, "--instance", options.instance, "which weir, when several run", "PID|NAME");
  text(app, "--admin", options.admin, "ask this admin address; $WEIR_ADMIN_TOKEN is sent", "ADDR");
  app->add_option("backend", options.backend, "its name or address, as weir status shows it")
      ->option_text("BACKEND");
}

void add_small(CLI::App& root, Parsed& parsed) {
  CLI::App* check = root.add_subcommand("check", "validate a config file without running it");
  CheckOptions& options = parsed.line.check;
  text(check, "-c,--config,file", options.file, "the config file", "FILE");
  check->add_flag("--print", options.print, "the effective config");
  check->add_flag("--print-example", options.print_example, "every key with its default");
  check->add_flag("--print-schema", options.print_schema, "JSON Schema, for editors");
  check->add_flag("--print-docs", options.print_docs, "the table of docs/configuration.md");

  CLI::App* status =
      root.add_subcommand("status", "each backend's state with reason and since-when");
  StatusOptions& wanted = parsed.line.status;
  status->add_flag("--json", wanted.json, "as JSON");
  status->add_flag("--watch", wanted.watch, "again every second");
  const auto take_wait_ready = [&parsed](const CLI::results_t& given) {
    parsed.status.wait_ready = given.empty() || given.front().empty() ? "1" : given.front();
    return true;
  };
  status->add_option("--wait-ready", take_wait_ready, "until N backends are ready; default 1")
      ->expected(0, 1)
      ->option_text("[N]");
  text(status, "--timeout", parsed.status.timeout, "of --wait-ready; default none", "D");
  text(status, "--instance", wanted.instance, "which one, when several run", "PID|NAME");
  text(status, "--admin", wanted.admin, "ask this admin address", "ADDR");
  text(status, "--file", wanted.file, "ask whom a published file names", "PUBLISHED");

  add_drain(root, parsed, "drain", "a backend gets no more requests and finishes what it has");
  add_drain(root, parsed, "undrain", "a drained backend gets requests again");

  CLI::App* explain = root.add_subcommand("explain", "what an error code or a state means");
  explain->add_option("code", parsed.line.text)->option_text("CODE");
  root.add_subcommand("version", "print the version");
}

void set_up(CLI::App& root, Parsed& parsed) {
  root.name("weir");
  root.require_subcommand(0, 1);
  add_serve(root, parsed);
  add_reverse_proxy(root, parsed);
  add_launch(root, parsed);
  add_mock(root, parsed);
  add_small(root, parsed);
  for (CLI::App* app : root.get_subcommands({})) {
    app->allow_extras();  // our own messages name them
    app->set_help_flag("-h,--help", "this text");
  }
  root.get_formatter()->column_width(38);
  root.footer(
      "\"weir URL...\" alone means \"weir serve URL...\"; \"weir COMMAND --help\" tells more.");
}

// The words an option of `app` may be written as, without a "no-" or a value.
std::vector<std::string> option_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Result<CommandLine, Problem> finish(const CLI::App* chosen, Parsed parsed) {
  using Action = CommandLine::Action;
  CommandLine line = std::move(parsed.line);
  if (!parsed.access_log.empty()) {
    line.serve.access_log = parsed.access_log == "true" ? "stdout" : parsed.access_log;
  }
  const std::string command = chosen->get_name();
  Result<Ok, Problem> read = Ok{};
  if (command == "serve") {
    line.action = Action::serve;
    line.command = line.config_file.empty() ? Command::urls : Command::serve;
  } else if (command == "reverse-proxy") {
    line.action = Action::serve;
    read = apply_proxy_flags(parsed.proxy, &line);
  } else if (command == "launch") {
    line.action = Action::launch;
    line.command = Command::launch;
  } else if (command == "mock") {
    line.action = Action::mock;
  } else if (command == "check") {
    line.action = Action::check;
  } else if (command == "status") {
    line.action = Action::status;
    read = apply_status_flags(parsed.status, &line.status);
  } else if (command == "drain" || command == "undrain") {
    line.action = Action::drain;
    line.drain.is_drain = command == "drain";
    read = apply_drain_flags(parsed.drain, &line.drain);
  } else if (command == "explain") {
    line.action = Action::explain;
  } else {
    line.text = "weir " + std::string(version()) + "\n";
  }
  if (!read) return read.error();
  return line;
}

CommandLine printing(std::string what) {
  CommandLine line;
  line.text = std::move(what);
  return line;
}

// CLI11 says "--queue-limit: 1 required TEXT missing".
Problem parse_problem(const CLI::App& root, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = root.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  std::string what = error.what();
  const size_t missing = what.find(": 1 required ");
  if (missing != std::string::npos) what = what.substr(0, missing) + " needs a value";
  return {"weir" + command + ": " + what, "weir" + command + " --help lists the options"};
}

// CLI11 takes its words from the back.
Result<CommandLine, Problem> parse_with(CLI::App& root, Parsed& parsed, Words words) {
  std::ranges::reverse(words);
  try {
    root.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = root.get_subcommands();
    return printing(chosen.empty() ? root.help() : chosen.front()->help("weir"));
  } catch (const CLI::ParseError& error) {
    return parse_problem(root, error);
  }
  const std::vector<CLI::App*> chosen = root.get_subcommands();
  if (chosen.empty()) return printing(root.help());
  const std::vector<std::string> extra = chosen.front()->remaining();
  if (!extra.empty())
    return unknown_word(chosen.front()->get_name(), extra.front(), option_names(chosen.front()));
  return finish(chosen.front(), std::move(parsed));
}

}  // namespace

Result<CommandLine, Problem> parse_command_line(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == kReplicaWrapperCommand) {
    CommandLine line;
    line.action = CommandLine::Action::replica;
    line.rest.assign(arguments.begin() + 1, arguments.end());
    return line;
  }
  // Everything behind the first "--" is somebody else's and never seen by an option parser.
  const auto cut = std::ranges::find(arguments, "--");
  Words words(arguments.begin(), cut);
  Words rest;
  if (cut != arguments.end()) rest.assign(cut + 1, arguments.end());

  CLI::App root("weir: a layer-7 load balancer made for LLM servers");
  Parsed parsed;
  set_up(root, parsed);
  root.set_help_flag("-h,--help", "this text");
  if (words.empty() || words.front() == "-h" || words.front() == "--help")
    return printing(root.help());
  if (words.front() == "--version" || words.front() == "-V") words = {"version"};
  if (words.front() == "help") {
    words.erase(words.begin());
    if (words.empty()) return printing(root.help());
    words.resize(1);
    words.push_back("--help");
  }
  const Result<std::string, Problem> command = command_of(words);
  if (!command) return command.error();
  if (*command != words.front()) words.insert(words.begin(), *command);
  if (cut != arguments.end() && *command != "launch") {
    return Problem{"weir " + *command + " takes no \"--\"", "only weir launch runs a COMMAND"};
  }
  Result<CommandLine, Problem> line = parse_with(root, parsed, std::move(words));
  if (line) line->rest = std::move(rest);
  return line;
}

}  // namespace weir
