"""How a recording is de-identified: one typed description, data only, that stands in the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from cineloop.analysis.privacy.box import Region
from cineloop.analysis.settings import Seconds
from cineloop.schema import Section


class PrivacySettings(Section):
    """The settings of a de-identification. Times are in seconds.

    Attributes:
        release: A stretch out of the body ends only below this share of the gate's threshold.
        padding: Blanked on both sides of whatever is blanked.
        gap: Rows further apart than this leave unknown what lies between them.
        least_inside: A shorter stretch between two blanked ones is blanked as well.
        masks: Regions that are filled in every frame.
        outside_picture: Fill everything outside of the endoscope's picture.
        find_text: Look for burned-in text, and fill where it is.
        join: Make one video of all parts, which then have to be of one size.
        dicom_as: What is made of a DICOM object: another one, or a video like that of other parts.
        dates: Of DICOM objects: removed; or all of a patient's moved by the same number of days.
        review_removed: The review sheet shows pictures of what was removed, too, and is as private as the recording.
    """

    release: Annotated[float, Field(ge=0, le=1)] = 0.5
    padding: Seconds = 1.0
    gap: PositiveFloat = 0.5
    least_inside: Seconds = 2.0
    masks: tuple[Region, ...] = ()
    outside_picture: bool = True
    find_text: bool = True
    join: bool = False
    dicom_as: Literal["dicom", "video"] = "dicom"
    dates: Literal["remove", "shift"] = "remove"
    review_removed: bool = False
