"""The HTML report of `weir bench` in a real Chromium. REPORT_SAMPLE is tests/support/report_sample.cpp, built."""
import json
import os
import subprocess
import tempfile
import unittest

import chromium

HOSTILE = "</script><img src=x onerror="

# Every text on a page with its contrast (WCAG 2) against the nearest background.
CONTRASTS = """
(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('main *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('details:not([open])')) continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    if (element.classList.contains('flag-text')) continue;  // stands on its own disc
    const [a, b] = [light(channels(colour)), light(behind(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), element.textContent.slice(0, 40)]);
  }
  return found;
})()"""


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not chromium.find():
            raise unittest.SkipTest("no chromium here: ./dev test-browser installs one")
        cls.folder = tempfile.TemporaryDirectory()
        cls.page = chromium.Page()
        cls.page.__enter__()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(cls.page.__exit__)

    def report(self, *options):
        """The folder of a run's outputs, its page open."""
        folder = os.path.join(self.folder.name, "-".join(("run", *options)))
        if not os.path.exists(folder):
            subprocess.run([os.environ["REPORT_SAMPLE"], folder, *options], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=chromium.DEADLINE)
        self.page.size(1200, 900)
        self.page.scheme("light")
        self.page.open(os.path.join(folder, "report.html"))
        return folder

    def run_of(self, folder):
        with open(os.path.join(folder, "run.json"), encoding="utf-8") as file:
            return json.load(file)

    def text(self):
        return self.page.value("document.body.innerText")

    def test_asks_nobody_and_complains_of_nothing(self):
        for options in ((), ("--search",), ("--not-trusted",)):
            folder = self.report(*options)
            self.assertEqual(self.page.complaints, [])
            self.assertEqual(self.page.requests, ["file://" + os.path.join(folder, "report.html")])

    def test_every_plot_is_drawn_with_numbers(self):
        self.report()
        plots = self.page.value("[...document.querySelectorAll('figure svg')].map(svg => svg.outerHTML)")
        self.assertEqual(len(plots), 7)  # four measures, the timeline, two by backend
        for plot in plots:
            self.assertNotIn("NaN", plot)
            self.assertNotIn("undefined", plot)
            self.assertNotIn("Infinity", plot)
            self.assertRegex(plot, "<(path|circle) ")
        self.assertEqual(self.page.value("document.querySelectorAll('#timeline .flag').length"), 3)

    def test_a_search_has_a_plot_of_its_loads(self):
        self.report("--search")
        self.assertEqual(self.page.value("document.querySelectorAll('#step-ttft circle').length"), 3)
        self.assertIn("holds up to 20.0 req/s, breaks at 40.0 req/s", self.text())

    def test_the_page_says_what_the_file_says(self):
        ours = self.run_of(self.report())["weir"]
        text = self.text()
        heads = self.page.value("[...document.querySelectorAll('th')].map(head => head.innerText)")
        self.assertLess({"mean", "p50", "p90", "p99", "p99.9", "max"}, set(heads))
        self.assertIn(ours["verdict"], text)
        row = self.page.value("[...document.querySelectorAll('tbody tr')].find(r => r.cells[0].innerText === 'TTFT')"
                              ".innerText.split('\\t')")
        self.assertEqual(float(row[2].replace(",", "")), round(ours["latency_ms"]["ttft"]["p50"], 1))
        for backend in ours["backends"]:
            self.assertIn(backend["name"], text)

    def test_a_run_that_is_not_trusted_says_so_first(self):
        self.report("--not-trusted")
        self.assertTrue(self.page.value("document.querySelector('.verdict').innerText").startswith("NOT TRUSTED"))
        self.assertIn("requests started late", self.text())

    def test_texts_from_outside_stay_texts(self):
        self.report()
        self.assertEqual(self.page.value("document.querySelectorAll('img').length"), 0)
        self.assertTrue(self.page.value("document.title").startswith("weir bench: "))
        self.assertIn(HOSTILE, self.text())
        self.assertNotIn("sample-secret-key", self.page.value("document.documentElement.outerHTML"))

    def test_pointing_at_a_plot_tells_its_numbers(self):
        self.report()
        place = self.page.value("(() => { const e = document.getElementById('timeline'); e.scrollIntoView({block: 'center'});"
                                " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 3]; })()")
        self.page.point_at(*place)
        self.page.wait_until("getComputedStyle(document.getElementById('tip')).display === 'block'")
        self.assertRegex(self.page.value("document.getElementById('tip').textContent"), "(?s)tokens/s.*TTFT p50.*tester late")

    def test_light_and_dark_are_readable(self):
        self.report()
        backgrounds = set()
        for scheme in ("light", "dark"):
            self.page.scheme(scheme)
            backgrounds.add(self.page.value("getComputedStyle(document.body).backgroundColor"))
            faint = [row for row in self.page.value(CONTRASTS) if row[0] < 4.5]
            self.assertEqual(faint, [], scheme)
        self.assertEqual(len(backgrounds), 2)

    def test_nothing_sticks_out_on_a_narrow_screen(self):
        self.report()
        self.page.size(390, 800)
        self.page.wait_until("innerWidth === 390")
        self.page.settle()
        self.assertLessEqual(self.page.value("document.documentElement.scrollWidth"), 390)

    def test_every_plot_and_table_has_a_name_for_those_who_cannot_see_it(self):
        self.report()
        self.assertEqual(self.page.value("[...document.querySelectorAll('figure svg')].filter(s => !s.getAttribute('aria-label')).length"), 0)
        self.assertEqual(self.page.value("[...document.querySelectorAll('table')].filter(t => !t.caption.innerText).length"), 0)
        self.assertEqual(self.page.value("document.documentElement.lang"), "en")

    def test_without_scripts_the_numbers_are_there(self):
        self.page.scripts(allowed=False)
        try:
            self.report()
            self.assertEqual(self.page.complaints, [])
        finally:
            self.page.scripts(allowed=True)
        text = self.text()
        self.assertIn("TTFT", text)
        self.assertIn("n01-0", text)


if __name__ == "__main__":
    unittest.main()
