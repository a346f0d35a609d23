"""A planted word in an output of any test fails that test: proved by tests that print one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import JANE
from tests.fakes import World
from tests.planted import PlantedWordFound, refuse_planted

ROOT = Path(__file__).parents[2]
TESTS = f"""
import logging, os, sys
from tests.examples import JANE

def test_that_prints(): print(f"people/{{JANE}}")
def test_that_writes_to_stderr(): sys.stderr.write(JANE)
def test_whose_child_prints(): os.system(f"echo {{JANE}}")
def test_that_logs(): logging.getLogger("any").warning(JANE)
def test_that_reads_what_it_printed(capsys): print(JANE); capsys.readouterr()
def test_that_leaves_what_it_printed(capsys): print(JANE)
def test_whose_function_logs(log): log.write(JANE)
def test_that_holds_its_tongue(): JANE.upper(); print("{JANE[:-1]}")
"""


def test_a_test_fails_that_prints_or_logs_a_planted_word_and_no_other_does(tmp_path: Path) -> None:
    (tmp_path / "test_tongues.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rfE", str(tmp_path)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    failed = set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", ran.stdout, re.MULTILINE))
    assert failed == set(re.findall(r"def (\w+)", TESTS)) - {"test_that_holds_its_tongue"}, ran.stdout


def test_the_topic_and_the_bus_of_the_tests_refuse_a_planted_word() -> None:
    with pytest.raises(PlantedWordFound, match="a message holds what a search looked for"):
        refuse_planted({"body": [f"people/{JANE}"]}, "a message")
    with pytest.raises(PlantedWordFound):
        World().report_created(None, {"verdict": JANE})  # type: ignore[arg-type]
