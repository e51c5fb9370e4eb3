"""Where in front of the camera a person is, from landmarks in the picture and in metres.

MediaPipe's metres begin at each person's own hips: that somebody sits down, jumps, walks or comes
near another person is not in them. The picture has it. A person's landmarks in the picture are
those in metres, enlarged and moved: how much they are enlarged, in pixels a metre, says how far
away the person is, and where the hips come to lie says the direction (weak perspective).

K = frames of one person, L = landmarks.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

# A camera's focal length over the longer side of its picture: a field of view of 64 degrees, as
# phones and webcams have it. Only distances from the camera depend on it, and in proportion.
FOCAL_LENGTH = 0.8
# A landmark counts as in the picture from this probability on.
IN_PICTURE = 0.5
_LEAST = 6  # landmarks in the picture; with fewer, those outside of it are taken too


def hips(
    picture: np.ndarray,
    world: np.ndarray,
    presence: np.ndarray,
    size: tuple[int, int],
    fps: float,
) -> np.ndarray:
    """The middle of a person's hips in front of the camera.

    The pixels a metre are the least-squares fit to the landmarks that are in the picture. They
    jitter by a hundredth, centimetres of distance, so their median over a second is taken.

    Args:
        picture: (K, L, 2) pixels, from the left and from above.
        world: (K, L, 3) metres from the hips: x to the right of the picture, y down.
        presence: (K, L), from 0 to 1.
        size: width and height of the picture in pixels.
        fps: frames a second.

    Returns:
        (K, 3) metres from the camera: x to the right of the picture, y down, z away from it.
    """
    weight = (presence >= IN_PICTURE).astype(float)
    weight[weight.sum(1) < _LEAST] = 1.0
    weight /= weight.sum(1, keepdims=True)
    seen = np.einsum("kl,klc->kc", weight, picture)
    own = np.einsum("kl,klc->kc", weight, world[..., :2])
    flat, body = picture - seen[:, None], world[..., :2] - own[:, None]
    fit = np.einsum("kl,klc,klc->k", weight, flat, body)
    scale = fit / np.einsum("kl,klc,klc->k", weight, body, body)
    scale = median_filter(scale, size=min(len(scale), round(fps)), mode="nearest")[:, None]
    middle = np.array(size) / 2
    across = (seen - middle) / scale - own
    return np.hstack([across, FOCAL_LENGTH * max(size) / scale])
