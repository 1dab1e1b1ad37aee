"""Looking for planted secrets in bytes, in every form that software writes text in."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path


def forms(secret: str) -> dict[str, bytes]:
    """Return a secret as it may stand in a file, lower case where case does not matter."""
    plain = secret.encode()
    found = {
        "utf-8": plain,
        "utf-16-le": secret.encode("utf-16-le"),
        "utf-16-be": secret.encode("utf-16-be"),
        "utf-32-le": secret.encode("utf-32-le"),
        "percent": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "hex": plain.hex().encode(),
        "entities": "".join(f"&#{ord(letter)};" for letter in secret).encode(),
        "escapes": "".join(f"\\u{ord(letter):04x}" for letter in secret).encode(),
        "backwards": plain[::-1],
    }
    return {name: value.lower() for name, value in found.items()}


def base64_forms(secret: str) -> list[bytes]:
    """Return the parts of a secret's base64 that do not depend on what stands around it, for each of three offsets."""
    found = []
    for offset in range(3):
        for text in (secret, secret.lower(), secret.upper()):
            coded = base64.b64encode(b"\0" * offset + text.encode())
            found.append(coded[-(-offset * 8 // 6) :].rstrip(b"=")[:-1])
    return found


def find_secrets(data: bytes, secrets: list[str]) -> set[str]:
    """Return which secrets stand in some bytes, in which form; looks into base64 and zlib streams, too."""
    found = set()
    lower = data.lower()
    for secret in secrets:
        found |= {f"{secret} as {name}" for name, value in forms(secret).items() if value in lower}
        found |= {f"{secret} as base64" for value in base64_forms(secret) if value in data}
    for coded in re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", data):
        for skipped in range(4):
            part = coded.rstrip(b"=")[skipped:]
            inner = base64.b64decode(part[: len(part) // 4 * 4])
            found |= {f"{each} within base64" for each in find_secrets(inner, secrets)}
    for place in [match.start() for match in re.finditer(rb"x[\x01\x5e\x9c\xda]", data)]:
        try:
            inner = zlib.decompressobj().decompress(data[place : place + 65536])
        except zlib.error:
            continue
        found |= {f"{each} within zlib" for each in find_secrets(inner, secrets)} if inner else set()
    return found


def find_in_folder(folder: Path, secrets: list[str]) -> set[str]:
    """Return which secrets stand in the files of a folder, or in their names."""
    found = set()
    for path in sorted(folder.rglob("*")):
        found |= {f"name {path.name}: {each}" for each in find_secrets(path.name.encode(), secrets)}
        if path.is_file():
            found |= {f"{path.name}: {each}" for each in find_secrets(path.read_bytes(), secrets)}
    return found
