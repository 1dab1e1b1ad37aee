"""Stand-ins for what identifies a DICOM object: the same for the same, on this machine, and not to be traced back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydicom.dataset import Dataset

from cineloop.identity import pseudonym

_MOST_DAYS = 3650


@dataclass(frozen=True)
class Identity:
    """A patient's stand-ins.

    Attributes:
        salt: The secret, see :func:`cineloop.identity.identity_salt`.
        patient: What tells the patient from others in the original.
    """

    salt: str
    patient: str

    @classmethod
    def of(cls, dataset: Dataset, salt: str) -> Identity:
        """Return the stand-ins for the patient of an object: by number, else by name and birth date, else by study."""
        number = str(dataset.get("PatientID") or "").strip()
        name = f"{dataset.get('PatientName') or ''}|{dataset.get('PatientBirthDate') or ''}"
        return cls(salt, number or (name if name != "|" else "") or str(dataset.get("StudyInstanceUID") or ""))

    @property
    def pseudonym(self) -> str:
        """What stands for the patient's name and number."""
        return pseudonym(self.patient, self.salt)

    @property
    def days(self) -> int:
        """By how many days the patient's dates are moved into the past, 1 to 3650."""
        return 1 + self._number("dates", self.patient) % _MOST_DAYS

    def uid(self, original: str) -> str:
        """Return what stands for a UID: one below 2.25, which needs no registration (PS3.5 B.2)."""
        return f"2.25.{self._number('uid', original)}"

    def _number(self, purpose: str, value: str) -> int:
        key = hashlib.blake2b(self.salt.encode("utf-8"), digest_size=32).digest()
        digest = hashlib.blake2b(f"{purpose}:{value}".encode(), digest_size=16, key=key).digest()
        return int.from_bytes(digest, "big")
