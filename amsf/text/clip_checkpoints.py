"""The text tower out of an original CLIP or Long-CLIP checkpoint file, in transformers' names.

W = width of the transformer, D = width of the projected text feature, P = positions (77 or 248),
K = vocabulary.

OpenAI ships CLIP as TorchScript archives (``ViT-B-32.pt``), Long-CLIP ships plain state dicts
(``longclip-L.pt``); both name their tensors alike (Radford et al. 2021; Zhang et al. 2024).
Neither is ever unpickled as Python: state dicts are read with ``weights_only=True``, which that
loader refuses for TorchScript, so these go to torch's TorchScript reader, which builds tensors and
TorchScript modules alone and runs nothing of the archive's ``forward``.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from amsf.base.errors import InputError
from amsf.base.storage import sha256

# OpenAI publishes each file under an address that holds its SHA-256. Long-CLIP publishes none.
KNOWN_SHA256 = {
    "ViT-B-32.pt": "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    "ViT-B-16.pt": "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
    "ViT-L-14.pt": "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
}

# Long-CLIP keeps CLIP's first 20 position rows, the well-trained ones, and learns the rest anew.
KEPT_POSITIONS = 20

# Bytes that the code of a TorchScript archive, which is compressed, may unpack to.
SMALL = 16 << 20

# In the original models every attention head is 64 wide.
HEAD_WIDTH = 64


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of an original checkpoint, as they are stored.

    Raises:
        InputError: no such file; it is no checkpoint; or it bears the name of a known checkpoint
            and its SHA-256 is another.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint file; check text.checkpoint")
    expected = KNOWN_SHA256.get(path.name)
    if expected and (digest := sha256(path)) != expected:
        raise InputError(
            f"{path}: SHA-256 is {digest}; the published {path.name} has {expected}. The download "
            "is damaged or this is another model: fetch it again, or give weights of your own "
            "another file name"
        )
    _refuse_bomb(path)
    try:
        if _is_torchscript(path):
            with warnings.catch_warnings():
                # torch announces the end of TorchScript; what it says is for those who write it.
                warnings.simplefilter("ignore", DeprecationWarning)
                loaded: Any = torch.jit.load(str(path), map_location="cpu").state_dict()
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file makes torch's readers raise whatever they stumble upon.
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[0].strip() if lines else type(error).__name__
        if isinstance(error, pickle.UnpicklingError):
            # torch's own words recommend to read it unsafely.
            reason = "it asks for more than tensors, or is no checkpoint"
        raise InputError(
            f"{path}: not a CLIP checkpoint that can be read safely ({reason}); expected OpenAI's "
            "TorchScript .pt or Long-CLIP's .pt"
        ) from error
    if not isinstance(loaded, dict) or not all(torch.is_tensor(v) for v in loaded.values()):
        raise InputError(f"{path}: holds no plain state dict (name -> tensor); save one of those")
    return dict(loaded)


def convert_text_tower(
    original: dict[str, torch.Tensor], where: str
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Map an original state dict to ``CLIPTextModelWithProjection``'s.

    Args:
        original: tensors by the names of OpenAI's code; image-tower tensors are passed over.
        where: the file's name, for messages.

    Returns:
        The keyword arguments of ``CLIPTextConfig`` but the special tokens, and the state dict in
        float32 (OpenAI's files hold fp16).

    Raises:
        InputError: a tensor of the text tower is missing or has an unexpected shape.
    """
    numbers = [re.match(r"transformer\.resblocks\.(\d+)\.", name) for name in original]
    layers = 1 + max((int(n[1]) for n in numbers if n), default=-1)

    def take(name: str, *shape: int | None) -> torch.Tensor:
        if name not in original:
            raise InputError(
                f"{where}: no tensor '{name}'; it has {', '.join(list(original)[:4])} ... "
                "Expected the names of OpenAI's CLIP"
            )
        tensor = original[name].detach().to(torch.float32)
        fits = tensor.ndim == len(shape) and all(
            want is None or want == have for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if want is None else str(want) for want in shape)
            raise InputError(
                f"{where}: '{name}' has shape {tuple(tensor.shape)}; expected ({wanted})"
            )
        return tensor

    tokens = take("token_embedding.weight", None, None)
    K, W = tokens.shape
    if layers == 0 or W % HEAD_WIDTH:
        raise InputError(f"{where}: {layers} text layers of width {W}; that is no CLIP text tower")
    positions = take("positional_embedding", None, W)
    if "positional_embedding_res" in original:
        rest = take("positional_embedding_res", len(positions), W)
        positions = torch.cat([positions[:KEPT_POSITIONS], rest[KEPT_POSITIONS:]])
    projection = take("text_projection", W, None)

    top = "text_model."
    state = {
        f"{top}embeddings.token_embedding.weight": tokens,
        f"{top}embeddings.position_embedding.weight": positions,
        f"{top}final_layer_norm.weight": take("ln_final.weight", W),
        f"{top}final_layer_norm.bias": take("ln_final.bias", W),
        "text_projection.weight": projection.T.contiguous(),  # x @ P there, a Linear here
    }
    hidden = take("transformer.resblocks.0.mlp.c_fc.weight", None, W).shape[0]
    for layer in range(layers):
        here, there = f"transformer.resblocks.{layer}", f"{top}encoder.layers.{layer}"
        for kind, columns in (("weight", (W,)), ("bias", ())):
            joint = take(f"{here}.attn.in_proj_{kind}", 3 * W, *columns)
            for name, part in zip("qkv", joint.chunk(3), strict=True):
                state[f"{there}.self_attn.{name}_proj.{kind}"] = part.contiguous()
            for theirs, ours, shape in (
                ("attn.out_proj", "self_attn.out_proj", (W, *columns)),
                ("mlp.c_fc", "mlp.fc1", (hidden, *columns)),
                ("mlp.c_proj", "mlp.fc2", (W, hidden) if columns else (W,)),
                ("ln_1", "layer_norm1", (W,)),
                ("ln_2", "layer_norm2", (W,)),
            ):
                state[f"{there}.{ours}.{kind}"] = take(f"{here}.{theirs}.{kind}", *shape)
    config = {
        "vocab_size": K,
        "hidden_size": W,
        "intermediate_size": hidden,
        "projection_dim": projection.shape[1],
        "num_hidden_layers": layers,
        "num_attention_heads": W // HEAD_WIDTH,
        "max_position_embeddings": len(positions),
        "hidden_act": "quick_gelu",
    }
    return config, state


def _refuse_bomb(path: Path) -> None:
    """Refuse an archive made to fill the memory: torch stores tensors as they are."""
    if not zipfile.is_zipfile(path):
        return
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            content = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile:
        return  # torch's own reader reports it
    if content > 2 * size + SMALL:
        raise InputError(
            f"{path}: its records would take {content >> 20} MiB, out of a file of {size >> 20} "
            "MiB; a checkpoint is not compressed: fetch it again"
        )


def _is_torchscript(path: Path) -> bool:
    """Whether this is a zip archive with TorchScript code in it."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
