"""The wall: the surface of one patient's organ, unrolled, painted once and looked up in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

MUCOSA = 0
SLOPE_SCALE = 40.0


@dataclass
class Wall:
    """A surface being painted. Rows and columns are texels.

    Attributes:
        texels: Texels per unit of length; the unit is the lumen's radius.
        albedo: ``[R, C, 3]`` RGB reflectance, linear light, about 0 to 1.
        height: ``[R, C]`` elevation towards the camera, in units; it hides what lies behind.
        relief: ``[R, C]`` elevation too fine to hide anything, in units; it only shades.
        gloss: ``[R, C]`` strength of wet highlights, 0 to 1.
        owner: ``[R, C]`` uint8: 0 for mucosa, else the number of the growth that is seen there.
        periodic: Whether the last column touches the first.
        tint: ``[R, C]`` how much of a foreign colour a texel has, 0 to 1; None where there is none.
    """

    texels: float
    albedo: Field
    height: Field
    relief: Field
    gloss: Field
    owner: NDArray[np.uint8]
    periodic: bool
    tint: Field | None = None

    def pack(self) -> PackedWall:
        """Return the finished surface in the form that rendering looks up."""
        rows, columns = self.height.shape
        packed = np.zeros((rows, columns, 8), dtype=np.uint8)
        packed[..., 0:3] = np.clip(self.albedo * 200.0, 0, 255)
        packed[..., 3] = np.clip(self._slope(0) * SLOPE_SCALE + 128.5, 0, 255)
        packed[..., 4] = np.clip(self._slope(1) * SLOPE_SCALE + 128.5, 0, 255)
        packed[..., 5] = np.clip(self.gloss * 255.0, 0, 255)
        packed[..., 6] = self.owner
        if self.tint is not None:
            packed[..., 7] = np.clip(self.tint * 255.0, 0, 255)
        return PackedWall(packed.reshape(-1, 8).view(np.uint64).ravel(), rows, columns, self.texels)

    def _slope(self, axis: int) -> Field:
        """Return the height's central difference along ``axis``, per unit of length."""
        height = self.height + self.relief
        slope = np.empty_like(height)
        if axis == 0:
            slope[1:-1] = height[2:] - height[:-2]
            slope[0], slope[-1] = 2 * (height[1] - height[0]), 2 * (height[-1] - height[-2])
        else:
            slope[:, 1:-1] = height[:, 2:] - height[:, :-2]
            if self.periodic:
                slope[:, 0], slope[:, -1] = height[:, 1] - height[:, -1], height[:, 0] - height[:, -2]
            else:
                slope[:, 0], slope[:, -1] = 0.0, 0.0
        slope *= np.float32(self.texels / 2)
        return slope


@dataclass(frozen=True)
class PackedWall:
    """A finished surface: one 64-bit word a texel, so that all its properties cost one look-up.

    Attributes:
        words: ``[R * C]`` uint64; its bytes are red, green, blue (1.0 is 200), slope along the rows and along the
            columns (128 is 0, ``SLOPE_SCALE`` steps a unit), gloss (1.0 is 255), owner, and tint (1.0 is 255).
        rows: Rows of the surface.
        columns: Columns of the surface.
        texels: Texels per unit of length.
    """

    words: NDArray[np.uint64]
    rows: int
    columns: int
    texels: float

    def look_up(self, texel: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return the bytes of the given flat texel numbers, ``[..., 8]`` uint8."""
        return self.words[texel].view(np.uint8).reshape(*texel.shape, 8)
