"""What the checks of this folder share: the files of the tree, and how mistakes are told."""
import pathlib
import sys

SOURCE_FOLDERS = ("include", "lb", "discovery", "bench", "tests")
CPP_SUFFIXES = (".h", ".cpp")


def cpp_files(root):
    """The C++ files of the tree below `root`, as paths relative to it, sorted."""
    found = []
    for folder in SOURCE_FOLDERS:
        found += [path.relative_to(root) for path in (root / folder).rglob("*") if path.suffix in CPP_SUFFIXES]
    return sorted(found)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def is_below(path, folder):
    """Is the posix path `path` the folder, or something in it?"""
    return path == folder or path.startswith(folder + "/")


def run(check):
    """Runs check(root) over the tree given as argument or the one this file lies in; prints mistakes, returns the exit code."""
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    mistakes = check(root)
    for mistake in mistakes:
        print(mistake)
    print(f"{len(mistakes)} mistakes", file=sys.stderr)
    return 1 if mistakes else 0
