"""Codecs for the UTF-8 bytes of a text (Base64, hexadecimal and others); they preserve any text."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from libra.attack.catalogue.citations import CIPHER_CHAT, GARAK, JAILBROKEN, PARSELTONGUE, PROMPTFOO, PYRIT, cite
from libra.attack.catalogue.codecs import Codec, base64_codec
from libra.attack.catalogue.encoding.factory import encoding_attack

UU_BYTES = 45
"""Bytes per line; the limit of the standard."""

UU_HEADER, UU_FOOTER = "begin 644 message\n", "`\nend\n"
MIME_CHARACTERS = 10
"""Characters per encoded word, which may have 75 characters (RFC 2047, section 2); ten of four bytes each take 68."""

MIME_WORD = re.compile(r"=\?utf-8\?B\?([A-Za-z0-9+/=]*)\?=")
QUOTED_BYTES = 24
"""Bytes per line, which may have 76 characters (RFC 2045, section 6.7)."""

BASE45_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def byte_codec(name: str, explanation: str, encode: Callable[[bytes], str], decode: Callable[[str], bytes]) -> Codec:
    """Return the codec that encodes the UTF-8 bytes of a text."""
    return Codec(name, explanation, lambda text: encode(text.encode()), lambda code: decode(code).decode())


def numeral_codec(name: str, explanation: str, form: str, base: int) -> Codec:
    """Return the codec that writes each byte as a number in a format such as "08b", separated by spaces."""

    def encode(data: bytes) -> str:
        return " ".join(f"{byte:{form}}" for byte in data)

    def decode(code: str) -> bytes:
        return bytes(int(number, base) for number in code.split())

    return byte_codec(name, explanation, encode, decode)


def to_base16(data: bytes) -> str:
    """Return the bytes in base 16 (RFC 4648, section 8): hexadecimal digits without spaces."""
    return base64.b16encode(data).decode("ascii")


def to_base45(data: bytes) -> str:
    """Return the bytes in base 45 (RFC 9285): two bytes as three digits, the lowest first, and a last byte as two."""
    digits = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            digits.append(BASE45_DIGITS[digit])
    return "".join(digits)


def from_base45(code: str) -> bytes:
    """Return the bytes that `to_base45` encoded."""
    data = bytearray()
    for start in range(0, len(code), 3):
        digits = [BASE45_DIGITS.index(digit) for digit in code[start : start + 3]]
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        data += number.to_bytes(len(digits) - 1, "big")
    return bytes(data)


def to_uu(data: bytes) -> str:
    """Return the bytes in uuencoding (POSIX), as a file named "message"."""
    lines = (data[start : start + UU_BYTES] for start in range(0, len(data), UU_BYTES))
    return UU_HEADER + "".join(binascii.b2a_uu(line, backtick=True).decode("ascii") for line in lines) + UU_FOOTER


def from_uu(code: str) -> bytes:
    """Return the bytes that `to_uu` encoded."""
    body = code.removeprefix(UU_HEADER).removesuffix(UU_FOOTER)
    return b"".join(binascii.a2b_uu(line) for line in body.splitlines())


def to_quoted_printable(data: bytes) -> str:
    """Return each byte as "=" and two digits (RFC 2045, section 6.7), with soft line breaks."""
    lines = (data[start : start + QUOTED_BYTES] for start in range(0, len(data), QUOTED_BYTES))
    return "=\n".join("".join(f"={byte:02X}" for byte in line) for line in lines)


def to_mime(text: str) -> str:
    """Return the text as encoded words (RFC 2047); no word ends inside a character."""
    parts = (text[start : start + MIME_CHARACTERS] for start in range(0, len(text), MIME_CHARACTERS))
    return "\n".join(f"=?utf-8?B?{base64.b64encode(part.encode()).decode('ascii')}?=" for part in parts)


def from_mime(code: str) -> str:
    """Return the text that `to_mime` encoded."""
    return b"".join(base64.b64decode(word) for word in MIME_WORD.findall(code)).decode()


BASE64_URL = byte_codec(
    "base64url",
    "Base64 of the text in UTF-8, in the alphabet for addresses, with - and _",
    lambda data: base64.urlsafe_b64encode(data).decode("ascii"),
    base64.urlsafe_b64decode,
)
BASE32 = byte_codec(
    "base32", "Base32 of the text in UTF-8", lambda data: base64.b32encode(data).decode("ascii"), base64.b32decode
)
BASE16 = byte_codec("base16", "Base16 of the text in UTF-8", to_base16, base64.b16decode)
BASE45 = byte_codec("base45", "Base45 (RFC 9285) of the text in UTF-8", to_base45, from_base45)
BASE85 = byte_codec(
    "base85",
    "Base85 of the text in UTF-8, in the alphabet of RFC 1924",
    lambda data: base64.b85encode(data).decode("ascii"),
    base64.b85decode,
)
ASCII85 = byte_codec(
    "ascii85",
    "Ascii85 of the text in UTF-8, as in PDF files",
    lambda data: base64.a85encode(data, adobe=True).decode("ascii"),
    lambda code: base64.a85decode(code, adobe=True),
)
HEX = numeral_codec("hex", "the bytes of the text in UTF-8, each as two hexadecimal digits", "02x", 16)
BINARY = numeral_codec("binary", "the bytes of the text in UTF-8, each as eight binary digits", "08b", 2)
OCTAL = numeral_codec("octal", "the bytes of the text in UTF-8, each as three octal digits", "03o", 8)
UU = byte_codec("uu", "uuencoding, as of a file called message", to_uu, from_uu)
QUOTED_PRINTABLE = byte_codec(
    "quoted_printable",
    "quoted-printable, as in mail, with every byte quoted",
    to_quoted_printable,
    lambda code: quopri.decodestring(code.encode("ascii")),
)
URL = byte_codec(
    "url",
    "percent-encoding, as in addresses, of every byte of the text in UTF-8",
    lambda data: "".join(f"%{byte:02X}" for byte in data),
    unquote_to_bytes,
)
MIME = Codec("mime", "MIME encoded words, as in the subject of a mail", to_mime, from_mime)

BYTE_CODES = (
    encoding_attack("base64", [base64_codec()], source=cite(JAILBROKEN, "base64"), what="in Base64"),
    encoding_attack("base64url", [BASE64_URL], source=cite(PARSELTONGUE, "Base64 URL"), what="in URL-safe Base64"),
    encoding_attack("base32", [BASE32], source=cite(GARAK, "probes.encoding.InjectBase32"), what="in Base32"),
    encoding_attack("base16", [BASE16], source=cite(GARAK, "probes.encoding.InjectBase16"), what="in Base16"),
    encoding_attack("base45", [BASE45], source=cite(PARSELTONGUE, "Base45"), what="in Base45"),
    encoding_attack(
        "base85",
        [BASE85],
        source=cite(GARAK, "probes.encoding.InjectAscii85, here in another alphabet"),
        what="in Base85",
    ),
    encoding_attack("ascii85", [ASCII85], source=cite(GARAK, "probes.encoding.InjectAscii85"), what="in Ascii85"),
    encoding_attack(
        "hex",
        [HEX],
        source=f"{cite(PROMPTFOO, 'hex')}; {cite(GARAK, 'probes.encoding.InjectHex')}",
        what="as hexadecimal bytes",
    ),
    encoding_attack("binary", [BINARY], source=cite(PYRIT, "BinaryConverter"), what="as binary bytes"),
    encoding_attack(
        "octal", [OCTAL], source=cite(CIPHER_CHAT, "the UTF-8 cipher, here in octal"), what="as octal bytes"
    ),
    encoding_attack("uu", [UU], source=cite(GARAK, "probes.encoding.InjectUU"), what="with uuencoding"),
    encoding_attack(
        "quoted_printable",
        [QUOTED_PRINTABLE],
        source=cite(GARAK, "probes.encoding.InjectQP"),
        what="as quoted-printable text",
    ),
    encoding_attack("url", [URL], source=cite(PYRIT, "UrlConverter"), what="with percent-encoding of every byte"),
    encoding_attack("mime", [MIME], source=cite(GARAK, "probes.encoding.InjectMime"), what="as MIME encoded words"),
)
