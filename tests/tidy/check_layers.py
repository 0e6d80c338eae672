#!/usr/bin/env python3
"""Holds every #include, and the links of every library, against layers.txt; counts the headers that are slow to compile;
finds clocks where time has to be an argument.

    check_layers.py [ROOT]
"""
import re
import sys

import tidy

C_STANDARD = set("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg "
                 "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar".split())
POSIX = set("unistd fcntl poll pthread pwd grp sched spawn dirent dlfcn fnmatch getopt glob libgen netdb semaphore "
            "ifaddrs strings syslog termios ucontext utime wordexp".split())
POSIX_FOLDERS = {"sys", "netinet", "arpa", "linux", "net"}
LIBRARIES = {"event2": "libevent", "openssl": "openssl", "nlohmann": "nlohmann-json", "spdlog": "spdlog", "fmt": "fmt",
             "systemd": "libsystemd", "CLI": "cli11", "llhttp.h": "llhttp", "xxhash.h": "xxhash"}

# Compile time is a budget: how many .cpp files may include these; no header may. JSON: what comes from outside is read by it
# (config, launcher and instance files, requests of mock, answers and results of bench), and tests read ours with it.
SLOW_HEADERS = {"nlohmann/json.hpp": 10, "spdlog/spdlog.h": 3, "CLI/CLI.hpp": 1}

TIMELESS = ("lb/balance/", "lb/http/", "discovery/launcher_file.", "discovery/hostlist.", "discovery/slurm_environment.",
            "discovery/replica_plan.", "discovery/slurm_queue.")
CLOCK = re.compile(r"\b(\w+_clock\b|clock_gettime|gettimeofday|timespec_get|std::time\b|time\((nullptr|NULL|0)\))")

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINKS = re.compile(r"(?:weir_library\((\w+)\s+LINKS|target_link_libraries\((weir_\w+)\s+\w+)([^)]*)\)")


def read_layers(text):
    """layers.txt as {folder: (what it may include, its libraries)}."""
    layers = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            folder, may, libraries = (part.strip() for part in line.split("|"))
            layers[folder] = (may.split(), libraries.split())
    return layers


def layer_of(layers, path):
    """The longest folder of the table that holds `path`, or None."""
    holding = [folder for folder in layers if tidy.is_below(path, folder)]
    return max(holding, key=len, default=None)


def library_of(header):
    """What <header> belongs to: "" for the standard library, None when unknown."""
    first, _, rest = header.partition("/")
    stem = header.removesuffix(".h")
    if not rest and (stem == header or stem in C_STANDARD or stem.endswith("intrin")) and header not in LIBRARIES:
        return ""
    if first in POSIX_FOLDERS or stem in POSIX:
        return "posix"
    return LIBRARIES.get(first)


def check_include(layers, layer, delimiter, header):
    """What is wrong with an #include in a file of `layer`, or None."""
    may, libraries = layers[layer]
    if delimiter == "<":
        library = library_of(header)
        if library is None:
            return f"<{header}> is of no library that tests/tidy/check_layers.py knows"
        return f"{layer} may not include <{header}> ({library})" if library and library not in libraries else None
    target = f"include/{header}" if header.startswith("weir/") else header
    target_layer = layer_of(layers, target)
    if target_layer is None:
        return f'"{header}" is no path from the top of the tree'
    if target_layer == layer or any(tidy.is_below(target, allowed) for allowed in may):
        return None
    return f"{layer} may not include {target_layer} ({header})"


def check_includes(root, layers):
    mistakes = []
    slow = {header: [] for header in SLOW_HEADERS}
    for path in tidy.cpp_files(root):
        name = path.as_posix()
        layer = layer_of(layers, name)
        for number, line in enumerate(tidy.lines_of(root / path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            if match[2] in slow:
                slow[match[2]].append((name, number))
            problem = check_include(layers, layer, match[1], match[2]) if layer else None
            if problem:
                mistakes.append(f"{name}:{number}: {problem}")
    for header, users in slow.items():
        mistakes += [f"{name}:{number}: a header includes {header}, which is slow to compile: only .cpp files may"
                     for name, number in users if name.endswith(".h")]
        sources = sorted({name for name, _ in users if name.endswith(".cpp")})
        if len(sources) > SLOW_HEADERS[header]:
            mistakes.append(f"{header} is included by {len(sources)} .cpp files, {SLOW_HEADERS[header]} may: "
                            + " ".join(sources))
    return mistakes


def check_clocks(root):
    mistakes = []
    for path in tidy.cpp_files(root):
        name = path.as_posix()
        if name.startswith(TIMELESS):
            for number, line in enumerate(tidy.lines_of(root / path), 1):
                if match := CLOCK.search(line.partition("//")[0]):
                    mistakes.append(f"{name}:{number}: names a clock ({match[0]}); take `now` as an argument")
    return mistakes


def check_links(root, layers):
    """The links of the CMake libraries are arrows of the table, too."""
    mistakes = []
    for cmake in sorted(root.glob("**/CMakeLists.txt")):
        folder = cmake.parent.relative_to(root).as_posix()
        layer = layer_of(layers, folder)
        if layer is None or layer == "lb":
            continue
        for match in LINKS.finditer(cmake.read_text(encoding="utf-8")):
            for library in re.findall(r"\bweir_(\w+)", match[3]):
                target = {"nouns": "include/weir", "flags": layer, "llhttp": layer}.get(library)
                target = target or next((place for place in (f"lb/{library}", library, f"bench/{library}")
                                         if (root / place).is_dir()), library)
                if layer_of(layers, target) != layer and not any(tidy.is_below(target, allowed) or
                                                                 tidy.is_below(allowed, target) for allowed in layers[layer][0]):
                    mistakes.append(f"{folder}/CMakeLists.txt: {layer} may not link weir_{library}")
    return mistakes


def check(root):
    layers = read_layers((root / "tests/tidy/layers.txt").read_text(encoding="utf-8"))
    return check_includes(root, layers) + check_clocks(root) + check_links(root, layers)


if __name__ == "__main__":
    sys.exit(tidy.run(check))
