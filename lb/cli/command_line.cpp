#include "lb/cli/command_line.h"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "discovery/replica_wrapper_options.h"
#include "lb/cli/action_words.h"
#include "lb/cli/command_words.h"
#include "lb/cli/completion.h"
#include "lb/cli/explain.h"
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

template <typename Values>
void list(CLI::App* app, const std::string& name, Values& values, const std::string& help,
          const std::string& type) {
  app->add_option(name, values, help)->allow_extra_args(false)->option_text(type)->take_all();
}

// The options of a table.
template <typename Flags>
void add_rows(CLI::App* app, std::span<const FlagRow<Flags>> rows, Flags& flags) {
  for (const FlagRow<Flags>& row : rows) {
    if (row.plain) text(app, row.name, flags.*row.plain, row.help, row.type);
    if (row.text) text(app, row.name, flags.*row.text, row.help, row.type);
    if (row.list) list(app, row.name, flags.*row.list, row.help, row.type);
    if (row.pairs) list(app, row.name, flags.*row.pairs, row.help, row.type);
    if (row.toggle) app->add_flag(row.name, flags.*row.toggle, row.help);
  }
}

constexpr const char* kDurations = "D is a duration with its unit: 500ms, 30s, 10m.";
constexpr const char* kStatusFooter = "Exit status: 5 nothing runs there, 6 the time is over.";
constexpr const char* kDrainFooter =
    "A restart of weir forgets it. Exit status: 5 nothing runs there, 6 the time is over.";

// The flags that serve, reverse-proxy and launch share.
void add_serve_flags(CLI::App* app, Parsed& parsed) {
  if (app->get_footer().empty()) app->footer(kDurations);
  add_rows(app, serve_flag_rows(), parsed.line.serve);
  app->add_flag("--access-log", parsed.access_log, "one JSON line a request, to stdout or a file")
      ->option_text("[=PATH|=off]");
}

void add_serve(CLI::App& root, Parsed& parsed) {
  CLI::App* app = root.add_subcommand("serve", "run the balancer over the URLs, or as a file says");
  ServeFlags& flags = parsed.line.serve;
  text(app, "-c,--config", parsed.line.config_file, "the config file", "FILE");
  list(app, "--listen", flags.listen, "default 127.0.0.1:8080; port 0: a free one (repeatable)",
       "ADDR");
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
  add_rows(app, header_flag_rows(), flags);
  app->add_flag("-v,--debug", flags.debug, "as --log-level debug");
  add_serve_flags(app, parsed);
  add_rows(app, proxy_flag_rows(), parsed.proxy);
}

void add_launch(CLI::App& root, Parsed& parsed) {
  CLI::App* app = root.add_subcommand("launch", "start replicas, serve, run COMMAND, clean up");
  app->footer(
      "weir launch --serve 'vllm serve MODEL --port {port}' -- COMMAND {url} ...\n"
      "COMMAND gets {url} {model} {concurrency} {replicas} filled in and OPENAI_BASE_URL set; "
      "without\n"
      "COMMAND it serves until told to stop. D is a duration with its unit: 500ms, 30s, 10m.");
  add_rows(app, launch_flag_rows(), parsed.line.launch);
  add_serve_flags(app, parsed);
  add_rows(app, header_flag_rows(), parsed.line.serve);
}

void add_mock(CLI::App& root, Parsed& parsed) {
  CLI::App* app =
      root.add_subcommand("mock", "a pretend vLLM, for trying everything without a GPU");
  add_rows(app, mock_flag_rows(), parsed.line.mock);
}

void add_bench(CLI::App& root, Parsed& parsed) {
  CLI::App* app = root.add_subcommand("bench", "make load, measure it, judge it");
  app->footer(kBenchFooter);
  add_rows(app, bench_flag_rows(), parsed.line.bench);
  app->add_option("urls", parsed.line.bench.urls, "like --to; ranges expand")
      ->option_text("URL...");
}

void add_compare(CLI::App& root, Parsed& parsed) {
  CLI::App* app =
      root.add_subcommand("compare", "two results of bench: what changed, what is chance");
  add_rows(app, compare_flag_rows(), parsed.line.compare);
  app->add_option("results", parsed.line.compare.files, "run.json, or the folder of --out")
      ->option_text("A B");
}

void add_drain(CLI::App& root, Parsed& parsed, const std::string& name, const std::string& help) {
  CLI::App* app = root.add_subcommand(name, help);
  app->footer(kDrainFooter);
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
  status->footer(kStatusFooter);
  StatusOptions& wanted = parsed.line.status;
  const auto take_wait_ready = [&parsed](const CLI::results_t& given) {
    parsed.status.wait_ready = given.empty() || given.front().empty() ? "1" : given.front();
    return true;
  };
  status->add_option("--wait-ready", take_wait_ready, "until N backends are ready; default 1")
      ->expected(0, 1)
      ->option_text("[N]");
  text(status, "--timeout", parsed.status.timeout, "of --wait-ready; default none", "D");
  add_rows(status, status_option_rows(), wanted);

  add_drain(root, parsed, "drain", "a backend gets no more requests and finishes what it has");
  add_drain(root, parsed, "undrain", "a drained backend gets requests again");

  CLI::App* explain = root.add_subcommand("explain", "what an error code or a state means");
  explain->add_option("code", parsed.line.text)->option_text("CODE");
  root.add_subcommand("schema", "the JSON Schema of config files, for editors");
  CLI::App* completion = root.add_subcommand("completion", "a script that completes weir's words");
  completion->add_option("shell", parsed.line.text)->option_text("bash|zsh|fish");
  root.add_subcommand("version", "print the version");
}

void set_up(CLI::App& root, Parsed& parsed) {
  root.name("weir");
  root.require_subcommand(0, 1);
  add_serve(root, parsed);
  add_reverse_proxy(root, parsed);
  add_launch(root, parsed);
  add_mock(root, parsed);
  add_bench(root, parsed);
  add_compare(root, parsed);
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

CompletionOption completion_of(const CLI::Option& option) {
  CompletionOption out;
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  out.takes_value = option.get_expected_min() > 0 && option.get_type_size() > 0;
  if (out.takes_value) out.words = words_of(option.get_option_text());
  return out;
}

std::vector<CompletionCommand> completions_of(const CLI::App& root) {
  std::vector<CompletionCommand> commands;
  for (const CLI::App* app : root.get_subcommands([](const CLI::App*) { return true; })) {
    CompletionCommand& command = commands.emplace_back();
    command.name = app->get_name();
    command.help = app->get_description();
    for (const CLI::Option* option : app->get_options()) {
      CompletionOption one = completion_of(*option);
      if (one.names.empty()) {
        command.words = words_of(option->get_option_text());
      } else {
        command.options.push_back(std::move(one));
      }
    }
    if (command.name == "explain") command.words = explained_words();
  }
  return commands;
}

Result<CommandLine, Problem> finish(const CLI::App* chosen, Parsed parsed) {
  CommandLine line = std::move(parsed.line);
  if (!parsed.access_log.empty()) {
    line.serve.access_log = parsed.access_log == "true" ? "stdout" : parsed.access_log;
  }
  const std::string command = chosen->get_name();
  line.action = action_of(command);
  Result<Ok, Problem> read = Ok{};
  if (command == "serve") {
    line.command = line.config_file.empty() ? Command::urls : Command::serve;
  } else if (command == "reverse-proxy") {
    read = apply_proxy_flags(parsed.proxy, &line);
  } else if (command == "launch") {
    line.command = Command::launch;
  } else if (command == "status") {
    read = apply_status_flags(parsed.status, &line.status);
  } else if (line.action == CommandLine::Action::drain) {
    line.drain.is_drain = command == "drain";
    read = apply_drain_flags(parsed.drain, &line.drain);
  } else if (command == "schema") {
    line.check.print_schema = true;
  } else if (command == "version") {
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
  if (chosen.front()->get_name() == "completion") {
    Result<std::string, Problem> script = completion_script(parsed.line.text, completions_of(root));
    if (!script) return script.error();
    return printing(std::move(*script));
  }
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
  if (*command == "bench") {
    Result<Words, Problem> joined = join_actions(std::move(words));
    if (!joined) return joined.error();
    words = std::move(*joined);
  }
  Result<CommandLine, Problem> line = parse_with(root, parsed, std::move(words));
  if (line) line->rest = std::move(rest);
  return line;
}

}  // namespace weir
