"""The checks of this folder can fail: each rule gets a tree that breaks it, and one that keeps it."""
import pathlib
import tempfile
import textwrap
import unittest

import check_docs
import check_layers
import check_tree

LAYERS = (pathlib.Path(__file__).parent / "layers.txt").read_text(encoding="utf-8")
GOOD_HEADER = "// A thing. Any thread.\n#pragma once\n"


class Tree(unittest.TestCase):
    """A small tree on disk: self.file(path, text), then self.mistakes(check)."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.file("tests/tidy/layers.txt", LAYERS)

    def file(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")

    def expect(self, check, *parts):
        """Exactly one mistake, and its text has all of `parts`; no parts: no mistake."""
        mistakes = check.check(self.root)
        self.assertEqual(len(mistakes), 1 if parts else 0, mistakes)
        for part in parts:
            self.assertIn(part, mistakes[0])


class LayersTest(Tree):
    def test_includes_that_follow_the_arrows_pass(self):
        self.file("lb/proxy/exchange.cpp", """
            #include "lb/proxy/exchange.h"
            #include <sys/uio.h>
            #include <vector>
            #include <fmt/core.h>
            #include "weir/error.h"
            #include "lb/backend/connection_pool.h"
        """)
        self.expect(check_layers)

    def test_an_arrow_upwards_is_found(self):
        self.file("lb/net/stream.cpp", '#include "lb/http/headers.h"\n')
        self.expect(check_layers, "lb/net/stream.cpp:1", "lb/net may not include lb/http")

    def test_an_arrow_sideways_is_found(self):
        self.file("discovery/srun_discovery.cpp", '#include "lb/proxy/exchange.h"\n')
        self.expect(check_layers, "discovery may not include lb/proxy")

    def test_the_nouns_include_only_the_standard_library(self):
        self.file("include/weir/address.h", GOOD_HEADER + "#include <string>\n#include <netinet/in.h>\n")
        self.expect(check_layers, "include/weir/address.h:4", "posix")

    def test_a_library_of_another_layer_is_found(self):
        self.file("lb/balance/lease.cpp", "#include <fmt/core.h>\n")
        self.expect(check_layers, "lb/balance may not include <fmt/core.h>")

    def test_an_unknown_library_is_found(self):
        self.file("lb/net/stream.cpp", "#include <boost/asio.hpp>\n")
        self.expect(check_layers, "<boost/asio.hpp> is of no library")

    def test_an_include_that_does_not_start_at_the_top_is_found(self):
        self.file("lb/net/stream.cpp", '#include "stream.h"\n')
        self.expect(check_layers, "no path from the top")

    def test_of_the_admin_folder_the_bench_sees_only_the_client(self):
        self.file("bench/engine/a.cpp", '#include "lb/admin/admin_client.h"\n')
        self.expect(check_layers)
        self.file("bench/engine/b.cpp", '#include "lb/admin/live_view.h"\n')
        self.expect(check_layers, "bench/engine/b.cpp:1")

    def test_slow_headers_in_a_header_are_found(self):
        self.file("lb/config/reader.h", "#include <nlohmann/json.hpp>\n")
        self.expect(check_layers, "lb/config/reader.h:1", "slow to compile")

    def test_slow_headers_are_counted(self):
        for number in range(4):
            self.file(f"lb/observe/log_{number}.cpp", "#include <spdlog/spdlog.h>\n")
        self.expect(check_layers, "included by 4 .cpp files, 3 may")

    def test_a_clock_in_the_balancer_is_found(self):
        self.file("lb/balance/retry.cpp", "// no steady_clock here\nauto now = std::chrono::steady_clock::now();\n")
        self.expect(check_layers, "lb/balance/retry.cpp:2", "steady_clock")

    def test_a_clock_elsewhere_passes(self):
        self.file("lb/net/event_loop.cpp", "auto now = std::chrono::steady_clock::now();\n")
        self.expect(check_layers)

    def test_a_link_against_the_arrows_is_found(self):
        self.file("lb/balance/CMakeLists.txt", "weir_library(balance LINKS weir_nouns weir_net)\n")
        self.file("lb/net/CMakeLists.txt", "weir_library(net LINKS weir_nouns PkgConfig::LIBEVENT)\n")
        self.expect(check_layers, "lb/balance may not link weir_net")


class TreeTest(Tree):
    def test_a_tidy_tree_passes(self):
        self.file("lb/net/stream.h", GOOD_HEADER)
        self.file("lb/net/stream.cpp", '#include "lb/net/stream.h"\n// TODO(#12): shorter\n' + "x\n" * 348)
        self.expect(check_tree)

    def test_a_long_line_is_found(self):
        self.file("lb/net/stream.cpp", "//" + " x" * 50 + "\n")
        self.expect(check_tree, "lb/net/stream.cpp:1", "102 columns")

    def test_a_long_file_is_found(self):
        self.file("tests/unit/net/stream_test.cpp", "x\n" * 351)
        self.expect(check_tree, "351 lines")

    def test_a_long_file_may_shrink_but_not_grow(self):
        self.file("tests/tidy/long_files.txt", "lb/net/stream.cpp 400\n")
        self.file("lb/net/stream.cpp", "x\n" * 400)
        self.expect(check_tree)
        self.file("lb/net/stream.cpp", "x\n" * 401)
        self.expect(check_tree, "401 lines")
        self.file("lb/net/stream.cpp", "x\n" * 300)
        self.expect(check_tree, "take it out")

    def test_a_long_function_is_found(self):
        body = "  x();\n" * 58
        self.file("lb/net/stream.cpp", f"namespace weir {{\nvoid f(int a,\n       int b) {{\n{body}}}\n}}  // namespace weir\n")
        self.expect(check_tree)
        self.file("lb/net/stream.cpp", f"namespace weir {{\nvoid f(int a,\n       int b) {{\n  x();\n{body}}}\n}}  // namespace weir\n")
        self.expect(check_tree, "lb/net/stream.cpp:3", "61 lines")

    def test_a_header_without_an_opening_comment_is_found(self):
        self.file("lb/net/stream.h", "#pragma once\n// late\n")
        self.expect(check_tree, "begins with a comment")

    def test_a_header_without_pragma_once_is_found(self):
        self.file("lb/net/stream.h", "// A stream.\n")
        self.expect(check_tree, "#pragma once")

    def test_stray_words_are_found(self):
        self.file("lb/net/stream.cpp", "int upstreams;\n")
        self.expect(check_tree, "lb/net/stream.cpp:1", "upstreams")

    def test_a_loose_end_without_an_issue_is_found(self):
        self.file("lb/net/stream.cpp", "// TODO: shorter\n")
        self.expect(check_tree, "write TODO(#NUMBER)")

    def test_a_type_with_two_definitions_is_found(self):
        for folder in ("lb/net", "lb/admin"):
            self.file(f"{folder}/view.h", GOOD_HEADER + "namespace weir {\nclass Other;\nstruct View final : Base {\n};\n}\n")
        self.file("lb/http/view.h", GOOD_HEADER + "namespace weir::http {\nstruct View {\n};\n}\n")
        self.expect(check_tree, "lb/net/view.h: weir::View is defined in lb/admin/view.h already")

    def test_a_path_of_one_machine_is_found(self):
        self.file("config/a.json", '{"log": "/home/me/log"}\n')
        self.expect(check_tree, "config/a.json:1")


class DocsTest(Tree):
    def test_documents_that_name_what_exists_pass(self):
        self.file("lb/net/stream.h", GOOD_HEADER)
        self.file("lb/net/stream.cpp", "")
        self.file("dev", "cat\n  demo [--once]        build\n")
        self.file("docs/a.md", "See [the other](../README.md#top), `lb/net/stream.{h,cpp}`, `lb/net/`, `lb/*/*.h`, ./dev demo\n")
        self.file("README.md", "[out](https://example.org/x)\n")
        self.expect(check_docs)

    def test_a_dead_link_is_found(self):
        self.file("docs/a.md", "[b](b.md)\n")
        self.expect(check_docs, "docs/a.md:1", "b.md")

    def test_a_file_that_does_not_exist_is_found(self):
        self.file("docs/a.md", "in `lb/net/river.h`\n")
        self.expect(check_docs, "lb/net/river.h")

    def test_metrics_and_their_document_are_held_against_each_other(self):
        self.file("lb/observe/a.cpp", 'out.family(\n    "weir_fish_total", "counter", "Fish.");\n')
        self.expect(check_docs, "weir_fish_total is missing")
        self.file("docs/metrics.md", "| `weir_fish_total` | counter |\n")
        self.expect(check_docs)
        self.file("docs/metrics.md", "| `weir_fish_total` | counter |\n| `weir_eels` | gauge |\n")
        self.expect(check_docs, "nothing makes weir_eels")

    def test_a_command_that_does_not_exist_is_found(self):
        self.file("README.md", "run ./dev fly\n")
        self.expect(check_docs, "no ./dev fly")


if __name__ == "__main__":
    unittest.main()
