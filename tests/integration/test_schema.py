"""The JSON Schema that editors use: the shipped configurations fit it, and what weir refuses by its structure does not."""

import json
import re
import subprocess
import unittest
from pathlib import Path

from harness import BINARY, PATIENCE

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float), "integer": int}


def is_of(kind, value):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def faults(schema, value, path="$"):
    """Where `value` does not fit; for the part of JSON Schema that weir's uses, anything else is an error."""
    unknown = set(schema) - {"$schema", "title", "description", "type", "properties", "additionalProperties", "items", "anyOf",
                             "enum", "const", "minimum", "maximum", "minProperties", "maxProperties"}
    assert not unknown, unknown
    if "anyOf" in schema and all(faults(one, value, path) for one in schema["anyOf"]):
        return [f"{path} fits none of {len(schema['anyOf'])} forms"]
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return [f"{path} is none of the words"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_of(kind, value) for kind in kinds):
        return [f"{path} is no {kinds}"]
    if is_of("number", value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{path} is out of range"]
    if isinstance(value, list):
        return sum((faults(schema.get("items", {}), item, f"{path}[]") for item in value), [])
    if not isinstance(value, dict) or "properties" not in schema and "additionalProperties" not in schema:
        return []
    found = []
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        found.append(f"{path} has {len(value)} keys")
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        inner = schema.get("properties", {}).get(key, others)
        found += [f"{path}.{key} is unknown"] if inner is False else faults(inner, item, f"{path}.{key}")
    return found


def weir(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(weir("schema"))

    def test_it_is_the_shipped_one(self):
        self.assertEqual(self.schema, json.loads((ROOT / "config/weir.schema.json").read_text()))

    def test_every_shipped_configuration_fits(self):
        files = [path for path in sorted((ROOT / "config").glob("*.json")) if not path.name.endswith(".schema.json")]
        self.assertGreaterEqual(len(files), 2)
        for path in files:
            as_read = json.loads(re.sub(r"^((?:[^\"/]|\"(?:[^\"\\]|\\.)*\"|/(?!/))*)//.*$", r"\1", path.read_text(),
                                        flags=re.MULTILINE))
            self.assertEqual(faults(self.schema, as_read), [], path)
            self.assertEqual(faults(self.schema, json.loads(weir("check", "-c", str(path), "--print"))), [], path)

    def test_every_configuration_in_the_docs_fits(self):
        count = 0
        for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            for text in re.findall(r"```jsonc?\n(\{.*?\})\n```", path.read_text(), flags=re.DOTALL):
                if '"backends"' in text and "…" not in text:
                    self.assertEqual(faults(self.schema, json.loads(text)), [], f"{path}: {text}")
                    count += 1
        self.assertGreaterEqual(count, 1)

    def test_the_other_ways_to_write_things_fit(self):
        for text in ('{"pools": {"p": {"backends": [{"url": "a:1", "weight": 2}], "discover": {"file": "/x"}}}}',
                     '{"listen": ["127.0.0.1:1", {"address": ":2", "trusted_proxies": ["::/0"]}], "workers": 4}',
                     '{"health": {"eject": "off", "slow_start": "off"}, "queue": {"limit": "unlimited"}}',
                     '{"health": {"eject": {"failures": 3}}, "retry": {"budget": 0.5}, "max_connections": "auto"}'):
            self.assertEqual(faults(self.schema, json.loads(text)), [], text)

    def test_what_weir_refuses_by_its_structure_does_not_fit(self):
        for text in ("[]", '{"polcy": "random"}', '{"policy": "best"}', '{"queue": []}', '{"queue": {"limit": "many"}}',
                     '{"backends": "a:1"}', '{"backends": [7]}', '{"backends": [{"weight": "2"}]}', '{"pools": {}}',
                     '{"pools": {"a": {}, "b": {}}}', '{"workers": "many"}', '{"workers": 0}', '{"via": "yes"}',
                     '{"retry": {"budget": 2}}', '{"health": {"eject": "on"}}', '{"health": {"eject": {"failure": 3}}}',
                     '{"listen": [{"address": ":1", "tls": {}}]}', '{"timeouts": {"connect": 2}}', '{"retry": {"attempts": 0}}'):
            self.assertNotEqual(faults(self.schema, json.loads(text)), [], text)


if __name__ == "__main__":
    unittest.main()
