"""Original CLIP and Long-CLIP files: read safely, mapped exactly."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from amsf.base.errors import InputError
from amsf.text.clip_checkpoints import KNOWN_SHA256, convert_text_tower, read_checkpoint
from tests.support.original_clip import OriginalClip, OriginalLongClip, original_module

K = 20

# torch announces the end of TorchScript; OpenAI's files stay what they are.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*torch.jit:DeprecationWarning", "ignore:Detected pickle protocol:UserWarning"
)


def save_torchscript(model: torch.nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.script(model.eval()), str(path))


@pytest.mark.parametrize("form", ["torchscript", "state dict"])
def test_both_forms_give_the_stored_tensors(tmp_path: Path, form: str) -> None:
    model = OriginalClip(K, 77).half()
    path = tmp_path / "tiny.pt"
    if form == "torchscript":
        save_torchscript(model, path)
    else:
        torch.save(model.state_dict(), path)
    found = read_checkpoint(path)
    for name, tensor in model.state_dict().items():
        assert found[name].dtype == torch.float16
        assert torch.equal(found[name], tensor), name
    config, state = convert_text_tower(found, "tiny.pt")
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    assert config == {
        "vocab_size": K,
        "hidden_size": 128,
        "intermediate_size": 512,
        "projection_dim": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "hidden_act": "quick_gelu",
    }


def test_two_position_tables_fold_into_one() -> None:
    model = OriginalLongClip(K)
    _, state = convert_text_tower(model.state_dict(), "x")
    table = state["text_model.embeddings.position_embedding.weight"]
    assert table.shape == (248, 128)
    assert torch.equal(table[:20], model.positional_embedding[:20])
    assert torch.equal(table[20:], model.positional_embedding_res[20:])
    assert torch.equal(table, model.positions())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda s: s.pop("ln_final.bias"), "no tensor 'ln_final.bias'"),
        (lambda s: s.pop("transformer.resblocks.0.mlp.c_fc.weight"), "c_fc.weight"),
        (lambda s: s.update(text_projection=torch.ones(3, 4)), r"shape \(3, 4\); expected \(128, "),
        (lambda s: s.update(positional_embedding=torch.ones(128)), r"expected \(any, 128\)"),
        (lambda s: [s.pop(k) for k in list(s) if "resblocks" in k], "0 text layers"),
        (lambda s: s.clear(), "no tensor 'token_embedding.weight'"),
    ],
)
def test_a_strange_state_dict_is_told(spoil: Any, told: str) -> None:
    state = dict(OriginalClip(K, 77).state_dict())
    spoil(state)
    with pytest.raises(InputError, match=told):
        convert_text_tower(state, "x.pt")


class _Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_no_code_of_a_file_is_run(tmp_path: Path, form: str) -> None:
    path, trace = tmp_path / "bad.pt", tmp_path / "harmed"
    if form == "pickle":
        path.write_bytes(pickle.dumps(_Harm(trace)))
    else:
        torch.save({"token_embedding.weight": _Harm(trace)}, path)
    with pytest.raises(InputError, match="not a CLIP checkpoint that can be read safely"):
        read_checkpoint(path)
    assert not trace.exists()


def test_a_pickle_in_a_torchscript_archive_is_not_run(tmp_path: Path) -> None:
    good, path, trace = tmp_path / "good.pt", tmp_path / "bad.pt", tmp_path / "harmed"
    save_torchscript(OriginalClip(K, 77), good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            bad = name.endswith("/data.pkl")
            target.writestr(name, pickle.dumps(_Harm(trace), 2) if bad else source.read(name))
    with pytest.raises(InputError, match="can be read safely"):
        read_checkpoint(path)
    assert not trace.exists()


def test_missing_cut_and_foreign_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "none.pt")
    path = tmp_path / "cut.pt"
    torch.save(OriginalClip(K, 77).state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="can be read safely"):
        read_checkpoint(path)
    torch.save([torch.ones(2)], path)
    with pytest.raises(InputError, match="no plain state dict"):
        read_checkpoint(path)


def test_a_known_name_with_another_content_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ViT-B-32.pt"
    torch.save(OriginalClip(K, 77).state_dict(), path)
    with pytest.raises(InputError, match=f"published ViT-B-32.pt has {KNOWN_SHA256[path.name]}"):
        read_checkpoint(path)


def test_known_digests_are_those_in_the_published_addresses() -> None:
    folder = Path(str(original_module().__file__)).parent
    published = (folder / "clip.py").read_text()
    for name, digest in KNOWN_SHA256.items():
        assert f"/{digest}/{name}" in published
