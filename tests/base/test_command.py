"""How commands end: in processes of their own, as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, sys
from pathlib import Path
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import write_text
with command():
    {}
"""


def run(body: str, shell: str = 'exec "$0" "$@"', **env: str) -> subprocess.CompletedProcess[str]:
    code = SCRIPT.format(body)
    return subprocess.run(
        ["bash", "-c", shell, sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise InputError('it is wrong')", "it is wrong"),
        ("raise InputError('a \\x1b[2J b')", r"a \x1b[2J b"),
        ("raise MemoryError", "the memory is used up"),
        ("raise OSError(28, 'No space left on device', '/x/y')", "/x/y: the disk is full"),
        ("open('/proc/self/mem/x')", "/proc/self/mem/x: a file is where a folder would be"),
        ("open('/tmp')", "/tmp: a folder is there"),
        ("open('a' * 5000)", "the name is too long"),
    ],
)
def test_one_message_and_no_traceback(body: str, told: str) -> None:
    done = run(body)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    done = run("raise KeyError('a')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_closed_pipe_ends_in_silence() -> None:
    body = "[say(str(i)) for i in range(100_000)]"
    done = run(body, 'set -o pipefail; "$0" "$@" | head -n 1')
    assert (done.returncode, done.stdout, done.stderr) == (141, "0\n", "")


def test_a_full_output_is_told() -> None:
    done = run("say('a')", 'exec "$0" "$@" > /dev/full')
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the disk is full" in done.stderr


def test_no_output_at_all() -> None:
    assert run("say('a')", 'exec "$0" "$@" >&-').returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_a_letter_that_the_console_lacks_is_escaped(encoding: str) -> None:
    done = run("say('drink 喝水 ' + chr(0xdcff))", PYTHONIOENCODING=encoding)
    shown = "喝水" if encoding == "utf-8" else r"\u559d\u6c34"
    assert (done.returncode, done.stdout) == (0, f"drink {shown} \\udcff\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="a read-only folder is made for another user")
def test_a_read_only_folder_above_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o555)
    drop = "-dac_override,-dac_read_search,-fowner"
    shell = f'exec setpriv --bounding-set={drop} --inh-caps=-all "$0" "$@"'
    done = run(f"write_text({str(tmp_path / 'data/a/b/c.txt')!r}, 'x')", shell)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/data/a/b/c.txt: could not be written")
    assert "access is not allowed" in done.stderr
    assert done.stderr.count("\n") == 1
