#include <map>
#include <vector>

#include "lb/config/config_text.h"
#include "lb/config/json_tree.h"
#include "lb/config/setting_table.h"
#include "lb/config/units.h"

namespace weir {
namespace {

// The defaults by path, out of the very text that the example is.
void collect(const JsonNode& node, const std::string& path,
             std::map<std::string, std::string>& out) {
  if (node.kind == JsonNode::Kind::object) {
    for (const JsonMember& member : node.members) {
      collect(member.value, path.empty() ? member.key : path + "." + member.key, out);
    }
  } else if (node.kind == JsonNode::Kind::array && !node.items.empty()) {
    collect(node.items.front(), path + "[]", out);
  } else if (node.kind == JsonNode::Kind::string) {
    out[path] = node.text;
  } else if (node.kind == JsonNode::Kind::boolean) {
    out[path] = node.boolean ? "true" : "false";
  } else {
    out[path] = node.text;
  }
}

std::string kind_of(const Setting& setting) {
  if (setting.kind != SettingKind::choice) return std::string(to_string(setting.kind));
  std::string out;
  for (const char c : setting.choices) out += c == '|' ? std::string(", ") : std::string(1, c);
  return out;
}

// One property of the schema, without its name.
std::string schema_of(const Setting& setting) {
  const std::string about = "\"description\": \"" + [&setting] {
    std::string text;
    for (const char c : setting.meaning) text += c == '"' ? std::string("\\\"") : std::string(1, c);
    return text;
  }() + "\"";
  switch (setting.kind) {
    case SettingKind::count:
      return "{\"type\": \"integer\", \"minimum\": 1, " + about + "}";
    case SettingKind::count_or_no_limit:
      return "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"const\": \"unlimited\"}], " +
             about + "}";
    case SettingKind::count_or_auto:
      return "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1}, {\"const\": \"auto\"}], " +
             about + "}";
    case SettingKind::share:
      return "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1, " + about + "}";
    case SettingKind::flag:
      return "{\"type\": \"boolean\", " + about + "}";
    case SettingKind::texts:
      return "{\"type\": \"array\", \"items\": {\"type\": [\"string\", \"integer\"]}, " + about +
             "}";
    case SettingKind::choice: {
      std::string words;
      for (const char c : setting.choices)
        words += c == '|' ? std::string("\", \"") : std::string(1, c);
      return "{\"enum\": [\"" + words + "\"], " + about + "}";
    }
    default:
      return "{\"type\": \"string\", " + about + "}";
  }
}

struct SchemaNode {
  std::string name;
  const Setting* leaf = nullptr;
  bool is_list = false;
  std::vector<SchemaNode> children;

  SchemaNode& child(std::string_view wanted) {
    for (SchemaNode& known : children) {
      if (known.name == wanted) return known;
    }
    children.emplace_back().name = wanted;
    return children.back();
  }
};

void insert(SchemaNode& root, const Setting& setting) {
  SchemaNode* at = &root;
  std::string_view rest = setting.path;
  while (!rest.empty()) {
    const size_t dot = rest.find('.');
    std::string_view name = rest.substr(0, dot);
    const bool is_list = name.ends_with("[]");
    if (is_list) name.remove_suffix(2);
    at = &at->child(name);
    at->is_list = at->is_list || is_list;
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  at->leaf = &setting;
}

std::string object_schema(const SchemaNode& node, const std::string& indent,
                          const std::string& extra) {
  std::string out = "{\n" + indent + "  \"type\": \"object\",\n" + indent +
                    "  \"additionalProperties\": false,\n" + indent + "  \"properties\": {";
  std::string comma;
  const std::string inner = indent + "    ";
  for (const SchemaNode& child : node.children) {
    out += comma + "\n" + inner + "\"" + child.name + "\": ";
    comma = ",";
    if (child.leaf != nullptr) {
      out += schema_of(*child.leaf);
      continue;
    }
    const std::string object = object_schema(child, inner, "");
    // A backend may be a URL alone, a listener an address alone, and one discovery needs no array.
    const std::string item =
        child.name == "discover" ? object : "{\"anyOf\": [{\"type\": \"string\"}, " + object + "]}";
    const std::string list = "{\"type\": \"array\", \"items\": " + item + "}";
    const std::string single =
        child.name == "eject" ? "{\"anyOf\": [{\"const\": \"off\"}, " + object + "]}" : object;
    out += !child.is_list             ? single
           : child.name == "discover" ? "{\"anyOf\": [" + list + ", " + object + "]}"
                                      : list;
  }
  return out + extra + "\n" + indent + "  }\n" + indent + "}";
}

bool is_of_pool(std::string_view path) {
  for (const std::string_view prefix : {"listen", "admin", "workers", "max_connections", "via",
                                        "paths", "replay", "log", "drain", "$schema"}) {
    if (path.starts_with(prefix)) return false;
  }
  return true;
}

}  // namespace

std::string settings_markdown() {
  std::map<std::string, std::string> defaults;
  collect(parse_json(config_text(default_config(Command::serve), {})).root, "", defaults);
  defaults["backends[].weight"] = std::to_string(BackendSpec{}.weight);
  defaults["discover[].interval"] = duration_text(DiscoverConfig{}.interval);
  std::string out = "| key | value | default | flag | meaning |\n|---|---|---|---|---|\n";
  for (const Setting& setting : all_settings()) {
    const auto found = defaults.find(std::string(setting.path));
    const std::string value =
        found == defaults.end() || found->second.empty() ? "" : "`" + found->second + "`";
    out += "| `" + std::string(setting.path) + "` | " + kind_of(setting) + " | " + value + " | " +
           (setting.flag.empty() ? "" : "`" + std::string(setting.flag) + "`") + " | " +
           std::string(setting.meaning) + " |\n";
  }
  return out;
}

std::string config_schema_text() {
  SchemaNode root;
  SchemaNode pool;
  for (const Setting& setting : all_settings()) {
    insert(root, setting);
    if (is_of_pool(setting.path)) insert(pool, setting);
  }
  const std::string pools =
      ",\n    \"pools\": {\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1, "
      "\"additionalProperties\": " +
      object_schema(pool, "    ", "") + "}";
  std::string text = object_schema(root, "", pools);
  text.insert(
      2,
      "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"weir\",\n");
  return text + "\n";
}

}  // namespace weir
