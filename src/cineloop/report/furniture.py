"""The words that every page has, beside what it says itself."""

from __future__ import annotations

from dataclasses import dataclass

DISCLAIMER = "Research software, not a medical device."


@dataclass(frozen=True)
class Furniture:
    """One language's; English unless others are given.

    Attributes:
        language: As HTML names it.
        skip: The link over the header, for keyboards.
        sections: What the navigation is.
        invalid: Before the reason of a watermark.
        provenance: Heading of the footer.
        disclaimer: What the product is not.
    """

    language: str = "en"
    skip: str = "To the content"
    sections: str = "Sections"
    invalid: str = "Not a valid result."
    provenance: str = "Provenance"
    disclaimer: str = DISCLAIMER


ENGLISH = Furniture()
