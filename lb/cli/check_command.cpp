#include "lb/cli/check_command.h"

#include "lb/cli/messages.h"
#include "lb/config/config_load.h"
#include "lb/config/config_text.h"

namespace weir {
namespace {

constexpr int kUsage = 2;

int print(const std::string& text) {
  return print_result(text) ? 0 : 1;
}

}  // namespace

bool load_or_complain(const std::string& file, Config* config) {
  Result<Config, std::vector<ConfigMistake>> loaded = load_config(file, *config);
  if (loaded) {
    *config = std::move(*loaded);
    return true;
  }
  for (const ConfigMistake& mistake : loaded.error()) {
    print_error({mistake.what, mistake.help}, where_text(file, mistake));
  }
  if (loaded.error().size() > 1)
    print_note(std::to_string(loaded.error().size()) + " mistakes in " + file);
  return false;
}

int run_check(const CheckOptions& options) {
  if (options.print_example) return print(example_config_text());
  if (options.print_schema) return print(config_schema_text());
  if (options.print_docs) return print(settings_markdown());
  Config config = default_config(Command::serve);
  if (options.file.empty() && options.print) return print(config_text(config, {}));
  if (options.file.empty()) {
    print_error({"weir check: no file was given", "write weir check -c FILE"});
    return kUsage;
  }
  if (!load_or_complain(options.file, &config)) return kUsage;
  const std::vector<Problem> problems = check_config(config);
  for (const Problem& problem : problems) print_error(problem, options.file);
  if (!problems.empty()) return kUsage;
  if (options.print) return print(config_text(config, {}));
  const PoolConfig& pool = config.pool;
  print_note(options.file + " is fine: pool " + pool.name + ", " +
             std::to_string(pool.backends.size()) + " backends, " +
             std::to_string(pool.discover.size()) + " discoveries, " +
             std::to_string(config.listen.size()) + " listeners");
  return 0;
}

}  // namespace weir
