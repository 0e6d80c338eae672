"""A few hundred messages broken at random from either side, from a fixed seed: see tests/load/mutations.py."""

import pathlib
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "load"))
import mutations  # noqa: E402
from strict_judge import Bad, Cut, read_request, read_response  # noqa: E402

CASES, SEED = 400, 4


class Mutations(unittest.TestCase):
    def test_no_broken_request_is_passed_on_and_no_answer_goes_to_another(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertTrue(mutations.run("requests", CASES, SEED, directory), "see above")

    def test_no_broken_answer_arrives_whole_and_none_leaks_into_the_next(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertTrue(mutations.run("responses", CASES, SEED, directory), "see above")


class TheJudge(unittest.TestCase):
    """It would be no use if it took everything, or nothing."""

    def test_good_messages_are_good(self):
        for wire in mutations.GOOD_REQUESTS:
            self.assertGreater(read_request(wire).size, 0, wire)
        for wire in mutations.GOOD_ANSWERS:
            self.assertEqual(read_response(wire, "GET", True).size, len(wire), wire)

    def test_most_of_what_weir_refuses_is_bad(self):
        found = []
        for name, wire, _ in mutations.REQUESTS:
            try:
                read_request(wire)
            except (Bad, Cut):
                found.append(name)
        self.assertGreater(len(found), 30)

    def test_cut_messages_are_cut(self):
        for wire in mutations.GOOD_REQUESTS[2:4]:
            for end in range(1, len(wire)):
                with self.assertRaises(Cut, msg=wire[:end]):
                    read_request(wire[:end])


if __name__ == "__main__":
    unittest.main()
