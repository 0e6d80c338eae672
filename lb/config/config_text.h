// A Config back to text: the file it could have come from. Pure; any thread.
#pragma once

#include <string>

#include "lb/config/config.h"

namespace weir {

struct ConfigTextStyle {
  bool has_comments = false;  // each key's meaning behind it; then it is JSON with comments
};

// Every key, whether it has its default or not. API keys become "***".
std::string config_text(const Config& config, ConfigTextStyle style);

// config/example.json: the defaults of serve, two backends and a discovery, with comments.
std::string example_config_text();

// The table of docs/configuration.md.
std::string settings_markdown();

// config/weir.schema.json: JSON Schema, for editors.
std::string config_schema_text();

}  // namespace weir
