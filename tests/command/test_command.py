"""The one command: what it lists, where it works, what shells complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from amsf.base.artifacts import CLASSES
from amsf.command.__main__ import COMMANDS, main, whole_parser
from amsf.text.descriptions import VIEWS

ROOT = Path(__file__).parents[2]


def test_it_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["amsf"].partition(":")
    assert getattr(import_module(module), function) is main
    # One place says which versions.
    assert project["project"]["dynamic"] == ["dependencies"]
    files = project["tool"]["setuptools"]["dynamic"]["dependencies"]["file"]
    assert files == ["requirements.txt"]


def test_it_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    bare = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert capsys.readouterr().out == bare
    for name, (_, about) in COMMANDS.items():
        assert f"  {name} " in bare
        assert about in bare


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_describes_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    told = capsys.readouterr().out
    assert told.startswith(f"usage: amsf {name} ")
    assert "--project" in told or "{" in told.splitlines()[0]  # of an action of its own


def test_a_wrong_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["predic"])
    assert capsys.readouterr().err.splitlines()[-1] == (
        "amsf: error: no command 'predic'; did you mean 'predict'?; see amsf --help"
    )


@pytest.mark.parametrize("named", [False, True])
def test_from_another_folder(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path if named else ROOT / "docs")
    main(["texts", "show", "utd27", "--class", "3", *(["--project", str(ROOT)] if named else [])])
    assert capsys.readouterr().out.startswith("3 two hand front clap\n  lb ")


def test_without_a_project_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="1"):
        main(["check"])
    assert capsys.readouterr().err.startswith("error: params.yaml: no such file")


def test_only_the_command_that_is_called_is_imported() -> None:
    """`amsf --help` must not take the seconds that torch takes."""
    code = "import sys, amsf.command.__main__ as c; c.main([]); print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_every_option_is_completed() -> None:
    (commands,) = (a for a in whole_parser()._actions if isinstance(a.choices, dict))
    assert set(commands.choices or ()) == {*COMMANDS, "completion"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out

    def completed(line: str) -> set[str]:
        words = line.split(" ")
        quoted = " ".join(f'"{word}"' for word in words)
        call = (
            f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'; "
            "COMP_POINT=${#COMP_LINE}; _shtab_amsf; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        done = subprocess.run(
            ["bash", "-c", f"{script}\n{call}"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        return set(done.stdout.split())

    assert {"predict", "new-dataset"} <= completed("amsf ")
    assert completed("amsf pre") == {"predict"}
    assert {"--benchmark", "--classes", "--gif"} <= completed("amsf predict --")
    assert completed("amsf pack --format utd") == {"utd27"}


def test_the_texts_of_every_class(capsys: pytest.CaptureFixture[str]) -> None:
    main(["texts", "show", "utkinect10", "--project", str(ROOT)])
    blocks = capsys.readouterr().out.strip().split("\n\n")
    rows = (ROOT / CLASSES / "utkinect10.csv").read_text().splitlines()[1:]
    assert [b.splitlines()[0] for b in blocks] == [" ".join(r.split(",")[:2]) for r in rows]
    assert all(len(block.splitlines()) == 1 + len(VIEWS) for block in blocks)
    with pytest.raises(SystemExit):
        main(["texts", "show", "utkinect10", "--class", "10", "--project", str(ROOT)])
    assert "--class 10: utkinect10 has the classes 0 to 9" in capsys.readouterr().err
