"""Print every problem of the knowledge base: `python -m careline.knowledge.check [files...]`.

Without files, all of knowledge/ is checked. Exit code 1 when there is a problem.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from careline.knowledge.files import ROOT
from careline.knowledge.problems import problems


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m careline.knowledge.check", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--vocabulary", type=Path, help="file of finding ids to take as known")
    options = parser.parse_args(arguments)
    missing = [path for path in options.files if not path.exists()]
    for path in missing:
        print(f"{path}: no such file")
    vocabulary: set[str] = set()
    if options.vocabulary:
        lines = options.vocabulary.read_text(encoding="utf-8").splitlines()
        vocabulary = {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}
    present = [path for path in options.files if path.exists()]
    found = [] if missing and not present else problems(present, root=options.root, vocabulary=vocabulary)
    for problem in found:
        print(problem)
    print(f"{len(found)} problem(s)")
    return 1 if found or missing else 0


if __name__ == "__main__":
    sys.exit(main())
