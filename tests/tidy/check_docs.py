#!/usr/bin/env python3
"""Documents name only what exists: links, `paths/in/backticks` and ./dev commands. Every metric is in docs/metrics.md.

    check_docs.py [ROOT]
"""
import re
import sys

import tidy

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
PATH_IN_TICKS = re.compile(r"`((?:include|lb|discovery|bench|tests|config|docs|cmake|\.ci)/[\w./*{},-]*)`")
METRIC = re.compile(r'\.family\(\s*"([a-z_]+)"')
METRIC_ROW = re.compile(r"^\|(.*?)\|", re.MULTILINE)
METRIC_NAME = re.compile(r"`((?:weir|process)_[a-z_]+)`")
DEV_COMMAND = re.compile(r"\./dev ([a-z][a-z-]*)")


def documents(root):
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])


def exists(root, name):
    """Does the path, the glob, or the pair of files `name.{h,cpp}` stand in the tree?"""
    if any(root.glob(name.rstrip("/"))):
        return True
    match = re.fullmatch(r"(.*)\{([^}]*)\}(.*)", name)
    return bool(match) and all((root / f"{match[1]}{one}{match[3]}").exists() for one in match[2].split(","))


def check_metrics(root):
    """The rows of docs/metrics.md are the metrics that lb makes."""
    document = root / "docs/metrics.md"
    text = document.read_text(encoding="utf-8") if document.exists() else ""
    rows = {name for cell in METRIC_ROW.findall(text) for name in METRIC_NAME.findall(cell)}
    made = set()
    for source in (root / "lb").rglob("*.cpp"):
        made |= set(METRIC.findall(source.read_text(encoding="utf-8")))
    return ([f"docs/metrics.md: {name} is missing" for name in sorted(made - rows)] +
            [f"docs/metrics.md: nothing makes {name}" for name in sorted(rows - made)])


def check(root):
    mistakes = check_metrics(root)
    dev = root / "dev"
    dev_commands = set(re.findall(r"^  ([a-z-]+) ", dev.read_text(encoding="utf-8"), re.MULTILINE)) if dev.exists() else set()
    for document in documents(root):
        name = document.relative_to(root).as_posix()
        for number, line in enumerate(tidy.lines_of(document), 1):
            for link in LINK.findall(line):
                if "://" not in link and not (document.parent / link).exists():
                    mistakes.append(f"{name}:{number}: the link {link} leads nowhere")
            mistakes += [f"{name}:{number}: {path} does not exist" for path in PATH_IN_TICKS.findall(line)
                         if not exists(root, path)]
            mistakes += [f"{name}:{number}: there is no ./dev {command}" for command in DEV_COMMAND.findall(line)
                         if command not in dev_commands]
    return mistakes


if __name__ == "__main__":
    sys.exit(tidy.run(check))
