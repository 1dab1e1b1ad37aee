"""The header of a DICOM object, written anew from the attributes that may stay."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, Literal

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import UID

from cineloop import _version
from cineloop.analysis.privacy.dicom_identity import Identity
from cineloop.analysis.privacy.dicom_table import Rule, rules
from cineloop.errors import PrivacyError

# What a number in words looks like, and the largest that anything here measures: a longer one may be a patient's.
_NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d{1,2})?")
_LARGEST = 1_000_000
# Date; time; date and time, of which the offset from UTC is dropped.
_DATE, _TIME = re.compile(r"\d{8}"), re.compile(r"\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)(?:[+-]\d{4})?")
# The frame time, and the vector of frame times: all that a frame increment pointer of a cine points to.
_POINTERS = {0x00181063, 0x00181065}
_CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
}
# At the top level these are written in any case: a picture's modules want them there, empty where need be.
_ALWAYS = ("empty", "pseudonym")

Dates = Literal["remove", "shift"]


def clean_header(dataset: Dataset, identity: Identity, *, dates: Dates, masked: bool, blanked: bool) -> Dataset:
    """Return what may stay of a header, with what was done written in it; without pixels and their description.

    Args:
        dataset: The original, which is left as it is.
        identity: Stand-ins for who it is of.
        dates: Whether dates and times are removed, or dates moved.
        masked: Whether text was filled in the pixels.
        blanked: Whether frames were removed.

    Raises:
        PrivacyError: It is no object of a standard class.
    """
    clean = _items(dataset, identity, dates, top=True)
    if "SOPClassUID" not in clean or "SOPInstanceUID" not in clean:
        raise PrivacyError(
            "The object is of no class of the standard, or has no UID, so that nothing is known of its attributes",
            mend="Have its pictures written as a video (dicom_as: video).",
        )
    clean.ImageType = ["DERIVED", *list(clean.get("ImageType") or ["", "PRIMARY"])[1:]]
    clean.PatientIdentityRemoved = "YES"
    clean.LongitudinalTemporalInformationModified = "REMOVED" if dates == "remove" else "MODIFIED"
    clean.DeidentificationMethod = _method(dates, masked=masked, blanked=blanked)
    codes = ["113100"] + ["113101"] * masked + ["113107"] * (dates == "shift")
    clean.DeidentificationMethodCodeSequence = Sequence([_code(value) for value in codes])
    stated = str(dataset.get("BurnedInAnnotation") or "")
    if masked or stated in ("YES", "NO"):
        clean.BurnedInAnnotation = "NO" if masked else stated
    return clean


def _items(dataset: Dataset, identity: Identity, dates: Dates, *, top: bool) -> Dataset:
    clean = Dataset()
    for rule in rules():
        there = rule.tag in dataset
        if not there and not (top and (rule.name in _ALWAYS or rule.check == "empty")):
            continue
        try:
            value = dataset[rule.tag].value if there else None
            kept = _value(rule, value, identity, dates)
        except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, OverflowError):
            # What does not read as what it should be is not written.
            kept = "" if rule.name in _ALWAYS or rule.check == "empty" else None
        if kept is not None:
            setattr(clean, rule.keyword, kept)
    return clean


def _value(rule: Rule, value: Any, identity: Identity, dates: Dates) -> Any:
    """Return what is written of an attribute, or None where it is left out."""
    if rule.name == "items":
        items = [_items(item, identity, dates, top=False) for item in value or []]
        return Sequence(items) if items else None
    if rule.name == "pseudonym":
        return identity.pseudonym
    if rule.name in ("empty", "empty-if-there"):
        return Sequence([]) if rule.keyword.endswith("Sequence") else ""
    if rule.name == "date":
        moved = _moved(rule.keyword, str(value or ""), identity.days) if dates == "shift" else None
        return "" if moved is None and rule.check == "empty" else moved
    if rule.name == "uid":
        kept = [identity.uid(str(each)) for each in _each(value) if str(each)]
        return (kept if len(kept) > 1 else kept[0]) if kept else None
    return _checked(rule, value)


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def _checked(rule: Rule, value: Any) -> Any:
    """Return those values of an attribute that pass its check, or None."""
    values = _each(value)
    if rule.check == "sop-class":
        uid = UID(str(value))
        return uid if uid.type == "SOP Class" else None
    if rule.check == "pointer":
        return value if len(values) == 1 and int(values[0]) in _POINTERS else None
    if rule.check == "number":
        return value if values and all(_is_number(each) for each in values) else None
    known = [str(each) for each in values if str(each) in rule.terms]
    if not known:
        return "OT" if rule.keyword == "Modality" else None
    return known if len(known) > 1 else known[0]


def _is_number(value: Any) -> bool:
    """Say whether a value is a number as they are measured: not text, and not one of an archive."""
    if isinstance(value, bool | bytes) or value is None:
        return False
    text = getattr(value, "original_string", None)
    if isinstance(value, str) or text is not None:
        words = str(text if text is not None else value).strip()
        if len(words) > 16 or not _NUMBER.fullmatch(words):
            return False
    return abs(float(value)) <= _LARGEST


def _moved(keyword: str, value: str, days: int) -> str | None:
    """Return a date, or date and time, moved into the past; a time as it is; None for anything that is none of them."""
    if keyword.endswith("DateTime"):
        both = _DATE_TIME.fullmatch(value)
        day = _moved("Date", both[1], days) if both else None
        return None if both is None or day is None else day + both[2]
    if keyword.endswith("Time"):
        return value if _TIME.fullmatch(value) else None
    if not _DATE.fullmatch(value):
        return None
    return (date(int(value[:4]), int(value[4:6]), int(value[6:])) - timedelta(days)).strftime("%Y%m%d")


def _method(dates: Dates, *, masked: bool, blanked: bool) -> list[str]:
    """Say in words what was done; each value at most 64 characters."""
    said = [f"Cineloop {_version.__version__}", "PS3.15 Annex E Basic Profile, by a list of what may stay"]
    said += ["Dates moved by whole days"] * (dates == "shift")
    said += ["Frames not known to be inside the body removed"] * blanked
    said += ["Burned-in text filled where given or found"] * masked
    return said


def _code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", _CODES[value]
    return item
