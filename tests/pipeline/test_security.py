"""Hostile input runs nothing, leads nowhere and fills no memory; keys stay in the environment.

The tree is searched for what must not be there (as syntax, not as text), and files made to do harm
are given to every reader, in a process whose memory is limited.
"""

from __future__ import annotations

import ast
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from ruamel.yaml.constructor import SafeConstructor
from werkzeug import Response

from amsf.base.errors import InputError
from amsf.base.yaml import SafeUniqueKeys, dump_yaml
from amsf.pack.__main__ import pack
from amsf.settings.params import load_params
from amsf.text.describe import PROMPTS
from amsf.text.features import TextFeatures
from amsf.text.report import write_report
from stages import describe
from tests.pack.test_npz import arrays

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "amsf").rglob("*.py"), *(ROOT / "stages").rglob("*.py")])

# --- what the code must not do ------------------------------------------------------------------

# Calls that build objects a file asks for, run what a string says, or unpack names as they are.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load",
    "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads", "shelve.open",
    "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads", "joblib.load",
    "pandas.read_pickle", "pandas.eval", "torch.hub.load", "yaml.load", "yaml.full_load",
    "yaml.unsafe_load", "yaml.load_all", "shutil.unpack_archive", "tarfile.open", "tempfile.mktemp",
    "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
PROCESSES = {
    f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output")
}


def offences(source: str) -> list[str]:
    """What of the above a module does, each as ``line: what``."""
    parsed = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.split(".")[0]
                names[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {i.asname or i.name: f"{node.module}.{i.name}" for i in node.names}

    def dotted(node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return names.get(node.id, node.id)
        return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"

    found = []
    for node in ast.walk(parsed):
        if isinstance(node, ast.ClassDef):
            if "pickle.Unpickler" in map(dotted, node.bases) and not _admits_no_class(node):
                found.append(f"{node.lineno}: an unpickler that admits classes")
        elif isinstance(node, ast.Call):
            called = dotted(node.func)
            given = {k.arg: k.value for k in node.keywords if k.arg}
            found += [f"{node.lineno}: {what}" for what in _wrong(called, node, given)]
    return found


def _wrong(called: str, node: ast.Call, given: dict[str, ast.expr]) -> list[str]:
    def said(name: str) -> Any:
        value = given.get(name)
        return value.value if isinstance(value, ast.Constant) else None

    wrong = [called] if called in FORBIDDEN else []
    if called == "torch.load" and said("weights_only") is not True:
        wrong.append("torch.load without weights_only=True")
    if "allow_pickle" in given and said("allow_pickle") is not False:
        wrong.append(f"{called} with allow_pickle")
    if called in ("numpy.load", "numpy.lib.format.read_array") and "allow_pickle" not in given:
        wrong.append(f"{called} without allow_pickle=False")
    if called == "ruamel.yaml.YAML" and said("typ") != "safe":
        wrong.append("a YAML reader that is not the safe one")
    if called == "jinja2.Environment" and said("autoescape") is not True:
        wrong.append("templates that do not escape")
    if called.endswith((".extractall", ".extract")):
        wrong.append(f"{called} unpacks names as they are")
    if called.endswith((".from_pretrained", "SentenceTransformer", "snapshot_download")):
        spread = any(k.arg is None for k in node.keywords)  # a dict of keywords, looked at by eye
        if said("local_files_only") is not True and not spread:
            wrong.append(f"{called} may go to the network")
        if said("trust_remote_code") not in (None, False):
            wrong.append(f"{called} runs the code of a folder")
    if called in PROCESSES:
        command = node.args[0] if node.args else None
        if "shell" in given:
            wrong.append(f"{called} through a shell")
        first = command.elts[0] if isinstance(command, ast.List) and command.elts else None
        known = isinstance(first, ast.Constant) or ast.unparse(first or node) == "sys.executable"
        if not known:
            wrong.append(f"{called} of a program that the code does not name")
    return wrong


def _admits_no_class(node: ast.ClassDef) -> bool:
    """Whether its ``find_class`` and ``persistent_load`` do nothing but raise."""
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    return all(
        name in methods and all(isinstance(s, ast.Raise) for s in methods[name].body)
        for name in ("find_class", "persistent_load")
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_unsafe_call(path: Path) -> None:
    found = offences(path.read_text(encoding="utf-8"))
    # Reads what people have, by a list of forms of its own; its tests try what is not on the list.
    if path.relative_to(ROOT).as_posix() == "amsf/base/pickles.py":
        assert [offence.partition(": ")[2] for offence in found] == [
            "an unpickler that admits classes"
        ]
    else:
        assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(f)",
        "from pickle import loads as read\nread(b)",
        "import pickle\nclass U(pickle.Unpickler):\n def find_class(s, m, n): return m",
        "import numpy as np\nnp.load(p)",
        "import numpy as np\nnp.load(p, allow_pickle=True)",
        "import numpy as np\nnp.load(p, allow_pickle=wanted)",
        "import torch\ntorch.load(p)",
        "import torch\ntorch.load(p, weights_only=False)",
        "import yaml\nyaml.load(t, Loader=yaml.Loader)",
        "import yaml\nyaml.unsafe_load(t)",
        "from ruamel.yaml import YAML\nYAML().load(t)",
        "from ruamel.yaml import YAML\nYAML(typ='unsafe').load(t)",
        "from jinja2 import Environment\nEnvironment(loader=a)",
        "eval(t)",
        "import os\nos.system(t)",
        "import subprocess\nsubprocess.run(t, shell=True)",
        "import subprocess\nsubprocess.run(words)",
        "from subprocess import run\nrun([program, 'x'])",
        "import zipfile\nzipfile.ZipFile(p).extractall(d)",
        "import tarfile\ntarfile.open(p)",
        "import pandas as pd\npd.read_pickle(p)",
        "from transformers import AutoModel\nAutoModel.from_pretrained(n)",
        "M.from_pretrained(n, local_files_only=True, trust_remote_code=True)",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert offences(source)


def test_the_one_yaml_loader_is_safe(tmp_path: Path) -> None:
    assert issubclass(SafeUniqueKeys, SafeConstructor)
    for text in (
        "!!python/object/apply:os.mkdir [harmed]",
        "!!python/name:os.system",
        "!!python/object/new:os.system [x]",
    ):
        path = tmp_path / "params.yaml"
        path.write_text(f"benchmarks: {{}}\nmodel: {text}\n")
        with pytest.raises(InputError, match="could not determine a constructor"):
            load_params(path)


# --- files made to do harm ----------------------------------------------------------------------


def test_hostile_files_are_refused_at_once_in_little_memory(tmp_path: Path) -> None:
    script = ROOT / "tests/support/hostile_files.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told) > 40
    wrong = {name: t for name, t in told.items() if t["error"] != "InputError"}
    assert wrong == {}
    slow = {name: t["seconds"] for name, t in told.items() if t["seconds"] > 5}
    assert slow == {}
    assert not list(tmp_path.rglob("harmed*")), "a file's code was run"


# --- names --------------------------------------------------------------------------------------

EVIL = [
    "../../evil",
    "/tmp/evil",
    "a/b",
    "..",
    "nul\u0301",
    "x" * 60,
    "=cmd|' /C calc'!A0",
    "$(id)",
]


def _made(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def test_names_of_recordings_and_members_lead_nowhere(tmp_path: Path) -> None:
    content = arrays()
    joints = np.concatenate([content["joints"][:4]] * len(EVIL))
    content |= {"joints": joints, "offset": np.arange(len(EVIL) + 1) * 4, "names": np.array(EVIL)}
    content |= {"label": np.zeros(len(EVIL), int), "subject": np.ones(len(EVIL), int)}
    (tmp_path / "raw").mkdir()
    np.savez(tmp_path / "raw/mine.npz", **content)  # type: ignore[arg-type]
    packed = pack(tmp_path / "raw", tmp_path / "deep/down/mine", "npz", jobs=1)
    assert packed.recordings == len(EVIL)
    assert _made(tmp_path) == {
        "raw", "raw/mine.npz", "deep", "deep/down", "deep/down/mine",
        "deep/down/mine/skeletons.safetensors", "deep/down/mine/skeletons.report.csv",
    }  # fmt: skip


def test_labels_name_no_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(len(EVIL), 1, 5)).astype(np.float32)
    features = TextFeatures(rows, ("lb",), "minilm", "mine")
    write_report(features, EVIL, tmp_path / "deep/down/report")
    names = {"nearest.csv", "report.json", "similarity_lb.png"}
    found = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert names <= found <= names | {"views.png"}


# --- secrets ------------------------------------------------------------------------------------

SECRET = "sk-proj-abcdef0123456789"


@pytest.mark.parametrize("kind", ["refused", "broken", "repeated in the answer"])
def test_a_key_that_the_server_repeats_stays_out_of_files_and_logs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    httpserver: HTTPServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    answer = f"Your key is {SECRET} and you hop up and down on one of your two feet."
    message = {"role": "assistant", "content": answer}
    bodies: dict[str, tuple[int, Any]] = {
        "refused": (401, {"error": {"message": f"Incorrect API key: {SECRET}", "param": SECRET}}),
        "broken": (500, f"stack trace: Authorization: Bearer {SECRET}"),
        "repeated in the answer": (
            200, {"id": SECRET, "choices": [{"index": 0, "message": message,
                                             "finish_reason": "stop"}]},
        ),
    }  # fmt: skip
    status, body = bodies[kind]
    text = body if isinstance(body, str) else json.dumps(body)
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(
        lambda request: Response(text, status, {"X-Key": SECRET}, content_type="application/json")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    for name, content in {
        "data/classes/mine.csv": "id,label,persons\n0,hop,1\n1,sit,1\n",
        "data/texts/mine/lb.csv": "id,text\n0,hop\n1,sit\n",
        "data/prompts/LLMad.txt": (ROOT / PROMPTS / "LLMad.txt").read_text(),
    }.items():
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(content)
    entry = {"dataset": "mine", "unseen": 1, "source": "mine", "features": "published"}
    asked = {"provider": "openai", "model": "m", "retries": 1, "timeout": 5.0}
    asked["base_url"] = httpserver.url_for("/v1")
    raw = {"benchmarks": {"mine-u1": entry}, "describe": asked, "text": {"over_long": "truncate"}}
    Path("params.yaml").write_text(dump_yaml(raw))
    told = ""
    with caplog.at_level(logging.INFO):
        if status == 200:
            describe.main()
            assert "***" in Path("data/llm_record.jsonl").read_text()
        else:
            with pytest.raises(InputError) as caught:
                describe.main()
            told = str(caught.value)
            assert ("***" in told) == (kind == "refused")  # the client tells no body of a 500
    out, err = capfd.readouterr()
    assert SECRET not in told + out + err + caplog.text
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


# --- dependencies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [f"requirements{extra}.txt" for extra in ("", "-dev", "-mpnet", "-video")],
)
def test_every_dependency_is_pinned(name: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    lines = [line for line in lines if line]
    assert lines
    for line in lines:
        assert re.fullmatch(r"-r requirements\.txt|[a-z0-9.-]+==[0-9][0-9a-z.]*", line), line


def test_what_is_installed_besides_is_pinned_too() -> None:
    for name in (".ci/run", ".ci/audit", "README.md"):
        for line in (ROOT / name).read_text().splitlines():
            for command in re.findall(r"pip install ([^&|]*)", line):
                words = [w for w in command.replace("-r ", "-r").split() if not w.startswith("-")]
                assert all("==" in word for word in words if word != "."), f"{name}: {line}"
