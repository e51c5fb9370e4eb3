"""Classes told by words: the table, the filling of views, and the classifier fitted to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.dataset.worded import WordedClass, key_of, read_classes
from amsf.features.phases import load_phase
from amsf.model.aligner import Aligner
from amsf.model.checkpoints import load_model
from amsf.predict.unseen_classes import encode_classes
from amsf.settings.params import PART_VIEWS, WHOLE_VIEWS, Text
from amsf.text.descriptions import VIEWS
from amsf.text.encoders import load_encoder
from amsf.training.runs import train_benchmark
from tests.support.small_benchmark import SPLIT, small_inputs, small_settings

SETTINGS = small_settings(train={"cycles": 2, "steps_per_cycle": 300})


def write(folder: Path, text: str) -> Path:
    path = folder / "my_actions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_views_and_free_descriptions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "\ufefflabel,MAmd,description,description2\n"
        '"salute ",,"raise  a hand, flat","to the brow"\n'
        "squat,you bend your knees,,\n",
    )
    salute, squat = read_classes(path)
    assert salute == WordedClass("salute", {}, ("raise a hand, flat", "to the brow"))
    assert squat == WordedClass("squat", {"MAmd": "you bend your knees"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,lb\na,b\n", "found columns name,lb; expected the columns label and one or more"),
        ("label\na\n", "found columns label; expected"),
        ("label,LLMxy\na,b\n", "found columns label,LLMxy; expected"),
        ("label,lb\n", "no class in it"),
        ("label,lb\n ,b\n", "row 1 has no label"),
        ("label,lb\nwave,b\nhop,\n", "class 'hop' has no text"),
        ("label,lb\nbig wave,b\nBig  Wave,c\n", "label 'Big Wave' comes twice"),
        ("label,lb\na,b,c,d\n,e\n1,2,3,4,5,6\n", "line 2 has 4 cells, the header 2"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_classes(path)
    assert str(path) in str(caught.value)


def test_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_classes(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # Free descriptions go round the views that nothing nearer fills.
        (WordedClass("L", {}, ("d1",)), ["L", "d1", "d1", "d1", "d1"]),
        (WordedClass("L", {}, ("d1", "d2")), ["L", "d1", "d2", "d1", "d2"]),
        (WordedClass("L", {}, ("1", "2", "3", "4")), ["L", "1", "2", "3", "4"]),
        # A view's counterpart is nearer than a free description.
        (WordedClass("L", {"MAad": "a"}, ("d1", "d2")), ["L", "a", "d1", "a", "d2"]),
        (WordedClass("L", {"LLMmd": "m"}), ["L", "m", "m", "m", "m"]),
        (WordedClass("L", {"MAad": "a", "LLMmd": "m"}), ["L", "a", "m", "a", "m"]),
        (WordedClass("L", {"lb": "the label"}), ["the label"] * 5),
        (WordedClass("L", {"lb": "x", "MAmd": "m"}), ["x", "m", "m", "m", "m"]),
    ],
)
def test_views_that_are_not_given(words: WordedClass, expected: list[str]) -> None:
    assert [words.text_of(view) for view in WHOLE_VIEWS] == expected
    assert [words.text_of(view) for view in PART_VIEWS] == [expected[2]] * 6


def test_a_part_that_is_given_is_of_that_part_alone() -> None:
    words = WordedClass("L", {"legs": "l", "MAad": "a"}, ("d1",))
    assert [words.text_of(view) for view in WHOLE_VIEWS] == ["L", "a", "d1", "a", "d1"]
    assert [words.text_of(view) for view in PART_VIEWS] == ["d1", "l", "d1", "d1", "d1", "d1"]
    assert WordedClass("L", {"legs": "l"}).text_of("arms") == "l"


@given(
    st.dictionaries(st.sampled_from(VIEWS), st.text("ab", min_size=1)),
    st.lists(st.text("cd", min_size=1), max_size=5),
)
def test_every_view_gets_a_text_and_given_ones_stay(given: dict[str, str], free: list[str]) -> None:
    words = WordedClass("label", given, tuple(free))
    texts = {view: words.text_of(view) for view in VIEWS}
    assert {view: texts[view] for view in given} == given
    assert set(texts.values()) <= {"label", *given.values(), *free}


def test_labels_are_compared_without_case_and_spacing() -> None:
    assert key_of(" Drink  Water") == key_of("drink water") != key_of("drinkwater")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_benchmark(small_inputs(folder, SETTINGS), folder / "models", folder / "scratch")
    return folder


def accuracy(model: Aligner, folder: Path) -> dict[int, float]:
    """ZSL accuracy on the samples of each unseen class of the split."""
    samples = load_phase(folder / "test.safetensors").zsl
    chosen = model.probabilities(samples.features).argmax(1).numpy()
    predicted = np.array(model.config.unseen)[chosen]
    labels = samples.labels.numpy()
    return {c: float((predicted == c)[labels == c].mean()) for c in SPLIT.unseen}


def test_a_class_added_by_words_is_recognised(trained: Path) -> None:
    model = load_model(trained / "models/seed0/test")
    text = small_inputs(trained / "again", SETTINGS).text
    before = accuracy(model, trained)
    best = max(before, key=lambda c: before[c])
    assert before[best] > 0.7
    rest = [c for c in SPLIT.unseen if c != best]
    without = model.for_classes(tuple(rest), torch.from_numpy(text[rest]))
    assert accuracy(without, trained)[best] == 0
    # It comes back under another id, last, as a class of the user's own does.
    added = [*rest, 99]
    back = without.for_classes(tuple(added), torch.from_numpy(text[[*rest, best]]))
    samples = load_phase(trained / "test.safetensors").zsl
    own = samples.features[samples.labels == best]
    said = back.probabilities(own).argmax(1)
    assert float((said == 2).float().mean()) > 0.7
    assert back.config.unseen == (*rest, 99)


def test_refitting_leaves_the_model_and_the_random_stream_alone(trained: Path) -> None:
    model = load_model(trained / "models/seed0/test")
    text = small_inputs(trained / "again", SETTINGS).text[list(SPLIT.unseen)]
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    first = model.for_classes(tuple(SPLIT.unseen), torch.from_numpy(text))
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    second = model.for_classes(tuple(SPLIT.unseen), torch.from_numpy(text))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])
        if name.startswith("vae."):
            assert torch.equal(tensor, state[name])


def test_texts_are_encoded_in_the_order_of_the_models_views() -> None:
    encoder = load_encoder(Text())
    classes = [WordedClass("hop", {"MAmd": "you leap"}), WordedClass("sit", {"MAad": "to sit"})]
    vectors = encode_classes(classes, ("MAmd", "lb"), Text(), encoder.weights, "my.csv")
    expected = encoder.encode(["you leap", "hop", "to sit", "sit"]).reshape(2, 2, -1)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    long = [WordedClass(" ".join("a" * 300), {})]
    with pytest.raises(InputError, match=r"my.csv: lb of 'a a.*has \d+\. Shorten"):
        encode_classes(long, ("lb",), Text(), encoder.weights, "my.csv")
    with pytest.raises(InputError, match="are not those that the benchmark's"):
        encode_classes(classes, ("lb",), Text(), "other", "my.csv")


def test_published_text_features_have_no_encoder() -> None:
    text = Text(encoder="published", checkpoint="somewhere")
    with pytest.raises(InputError, match=r"text\.encoder is published"):
        encode_classes([WordedClass("hop", {})], ("lb",), text, "", "my.csv")


def test_a_label_is_shown_with_escapes_and_a_quoted_cell_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("label,description\nmoon\x1b[2Jwalk\u202e,'-the feet glide back\n")
    (worded,) = read_classes(path)
    assert (worded.label, worded.free) == (r"moon\x1b[2Jwalk\u202e", ("-the feet glide back",))
