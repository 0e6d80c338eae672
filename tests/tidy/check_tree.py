#!/usr/bin/env python3
"""The habits of the tree that no compiler knows: lengths, first lines of headers, words, loose ends.

    check_tree.py [ROOT]
"""
import re
import sys

import tidy

MAX_COLUMNS = 100
MAX_LINES = 350
MAX_FUNCTION = 60
PRODUCT_FOLDERS = ("include", "lb", "discovery")
TEXT_SUFFIXES = (".h", ".cpp", ".py", ".cmake", ".txt", ".md", ".json", ".sh", ".sbatch", ".service", "")
SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}

STRAY_WORDS = re.compile(r"\b(upstream|downstream)s?\b", re.IGNORECASE)
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
TYPE = re.compile(r"(?:struct|class|enum class) (\w+)(?!\w*(?:<|::))[^;]*(?:\{|$)")
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home/\w+|Users/\w+)/[\w.]+")


def long_functions(lines):
    """(first line, length) of functions that are too long. In our format a definition ends with a } in the first column;
    bodies of types are not looked at."""
    begin, is_type = 0, False
    for number, line in enumerate(lines, 1):
        if begin and line.startswith("}"):
            if not is_type and number - begin >= MAX_FUNCTION:
                yield begin, number - begin + 1
            begin = 0
        elif not begin and line.endswith("{") and not line.startswith(("namespace", "extern")):
            begin, is_type = number, ")" not in line or line.startswith(("struct", "class"))


def check_cpp(root, path, allowed_lines):
    name = path.as_posix()
    lines = tidy.lines_of(root / path)
    mistakes = [f"{name}:{number}: {len(line)} columns, {MAX_COLUMNS} may be"
                for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]
    limit = allowed_lines.get(name, MAX_LINES)
    if len(lines) > limit:
        mistakes.append(f"{name}: {len(lines)} lines, {limit} may be: split it by subject")
    if name in allowed_lines and len(lines) <= MAX_LINES:
        mistakes.append(f"{name}: short enough by now, take it out of tests/tidy/long_files.txt")
    mistakes += [f"{name}:{number}: a function of {length} lines, {MAX_FUNCTION} may be"
                 for number, length in long_functions(lines)]
    if path.suffix == ".h":
        if not lines or not lines[0].startswith("//"):
            mistakes.append(f"{name}:1: a header begins with a comment: what it is, units, who owns it, which thread")
        if "#pragma once" not in lines:
            mistakes.append(f"{name}: a header needs #pragma once")
    if path.parts[0] in PRODUCT_FOLDERS:
        mistakes += [f"{name}:{number}: say client or backend, not {match[0]!r}"
                     for number, line in enumerate(lines, 1) if (match := STRAY_WORDS.search(line))]
    return mistakes


def check_types(root):
    """A name of a type means one thing: two headers that define it in one namespace break the one-definition rule."""
    places = {}
    for path in tidy.cpp_files(root):
        if path.suffix != ".h":
            continue
        namespace = ""
        for line in tidy.lines_of(root / path):  # types in other types are indented, so are not looked at
            if line.startswith("namespace "):
                namespace = line.split()[1]
            elif match := TYPE.match(line):
                places.setdefault(f"{namespace}::{match[1]}", []).append(path.as_posix())
    return [f"{found[1]}: {name} is defined in {found[0]} already" for name, found in places.items() if len(found) > 1]


def text_files(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and path.suffix in TEXT_SUFFIXES and not SKIPPED_FOLDERS & set(relative.parts):
            yield relative


def check_text(root, path):
    name = path.as_posix()
    mistakes = []
    if name.startswith("tests/tidy/"):  # which has to name what it looks for
        return []
    for number, line in enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if match := LOOSE_END.search(line):
            mistakes.append(f"{name}:{number}: {match[0]} without an issue: write {match[0]}(#NUMBER)")
        if match := MACHINE_PATH.search(line):
            mistakes.append(f"{name}:{number}: {match[0]} is a path of one machine")
    return mistakes


def read_long_files(root):
    """tests/tidy/long_files.txt: files that were longer when the limit came, and their length; may shrink, not grow."""
    path = root / "tests/tidy/long_files.txt"
    lines = tidy.lines_of(path) if path.exists() else []
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {name: int(limit) for name, limit in rows}


def check(root):
    mistakes = []
    allowed_lines = read_long_files(root)
    for path in tidy.cpp_files(root):
        mistakes += check_cpp(root, path, allowed_lines)
    mistakes += check_types(root)
    for path in text_files(root):
        mistakes += check_text(root, path)
    return mistakes


if __name__ == "__main__":
    sys.exit(tidy.run(check))
