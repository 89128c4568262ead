"""Damage in JPEG files that decoders pass over: they fill what is lost with grey or noise.

The file's structure is read, and of sequential files every Huffman code, without computing pixels:
coded data that were overwritten, cut or exchanged end too early, too late or at no code. Of
progressive and arithmetically coded files, only the structure and long runs of zeros are seen.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, pairwise, repeat

ZERO_RUN = 64  # bytes; encoders write such runs only for large areas of one colour, if at all

_SOI, _EOI, _SOS, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = (0xC0, 0xC1)  # with Huffman codes
_STANDALONE = (0x01, *range(0xD0, 0xD8))
_SCAN_END = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff+([\xd0-\xd7])")
_ZEROS = re.compile(rb"\x00{%d,}" % ZERO_RUN)

_ADVANCE = 6  # bits of a table's entry that hold the length of a code with its value
_END_OF_BLOCK, _NO_CODE = 1_000, 1_000_000  # advances past a block's 64 coefficients
_Table = tuple[int, ...]  # by the next 16 bits: length and advance, in one number


class _DamageError(Exception):
    """The file is damaged; the message is a clause about it."""


@dataclass(frozen=True, slots=True)
class JpegReport:
    """Findings about a JPEG file, as clauses that call the file `it`.

    Attributes:
        damage: What shows that content was lost.
        remarks: What may, or may not, be as it was written.
    """

    damage: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Component:
    horizontal: int  # sampling factors
    vertical: int


@dataclass
class _State:
    """Definitions that the segments before a scan have made."""

    frame: int = 0  # marker
    width: int = 0
    height: int = 0
    components: dict[int, _Component] = field(default_factory=dict)
    tables: dict[int, _Table] = field(default_factory=dict)  # by class << 4 | number
    restart_interval: int = 0
    scanned: set[int] = field(default_factory=set)  # components
    remarks: list[str] = field(default_factory=list)


def inspect_jpeg(content: bytes) -> JpegReport:
    """Return what the content of a JPEG file shows of damage, whether or not it can be decoded."""
    state = _State()
    try:
        _read_segments(content, state)
    except _DamageError as error:
        return JpegReport((str(error),), tuple(state.remarks))
    except (IndexError, KeyError, ValueError, ZeroDivisionError, struct.error):
        return JpegReport(("its headers are damaged",), tuple(state.remarks))
    return JpegReport((), tuple(state.remarks))


def _read_segments(content: bytes, state: _State) -> None:
    """Read the file up to its end marker."""
    if content[:2] != b"\xff\xd8":
        raise _DamageError("it does not begin as a JPEG file")
    position = 2
    while (marker := _marker_at(content, position)) != _EOI:
        position += 2
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", content, position)
        body = content[position + 2 : position + length]
        if len(body) != length - 2:
            raise _DamageError(f"a header at byte {position:,} ends after the file")
        position += length
        if marker == _SOS:
            position = _read_scan(content, position, body, state)
        else:
            _read_header(marker, body, state)
        while content[position : position + 2] == b"\xff\xff":  # fill bytes
            position += 1
    if state.components.keys() - state.scanned:
        raise _DamageError("it ends before all its colours are coded")


def _marker_at(content: bytes, position: int) -> int:
    """Return the marker at a position."""
    if position >= len(content) - 1:
        raise _DamageError("it has no end marker")
    if content[position] != 0xFF:
        raise _DamageError(f"there is no marker at byte {position:,}")
    return content[position + 1]


def _read_header(marker: int, body: bytes, state: _State) -> None:
    """Take over what a segment defines."""
    if marker in _FRAMES:
        state.frame = marker
        _, state.height, state.width, count = struct.unpack_from(">BHHB", body)
        for number in range(count):
            name, factors, _ = body[6 + 3 * number : 9 + 3 * number]
            state.components[name] = _Component(factors >> 4, factors & 15)
    elif marker == _DRI:
        (state.restart_interval,) = struct.unpack(">H", body)
    elif marker == _DHT:
        while body:
            total = sum(body[1:17])
            state.tables[body[0]] = _make_table(body[: 17 + total])
            body = body[17 + total :]


def _read_scan(content: bytes, start: int, header: bytes, state: _State) -> int:
    """Check the coded data of a scan, and return the position after them."""
    match = _SCAN_END.search(content, start)
    end = match.start() if match else len(content)
    zeros = _ZEROS.search(content, start, end)
    names = [header[1 + 2 * number] for number in range(header[0])]
    selectors = [header[2 + 2 * number] for number in range(header[0])]
    state.scanned |= set(names)
    found = ""
    if zeros:
        found = f"{zeros.end() - zeros.start():,} zero bytes in a row at byte {zeros.start():,}"
    is_verified = state.frame in _SEQUENTIAL and state.height > 0
    if is_verified:
        try:
            _verify_scan(content[start:end], names, selectors, state)
        except _DamageError as error:
            raise _DamageError("; ".join(filter(None, [str(error), found]))) from error
    if match is None:
        raise _DamageError("; ".join(filter(None, ["it has no end marker", found])))
    if found and not is_verified:
        raise _DamageError(f"its coded data have {found}")
    if found:
        state.remarks.append(f"its coded data have {found}, although every code is valid")
    return end


def _verify_scan(
    data: bytes, names: Sequence[int], selectors: Sequence[int], state: _State
) -> None:
    """Read every code of a sequential scan."""
    parts = [state.components[name] for name in names]
    widest = max(part.horizontal for part in state.components.values())
    tallest = max(part.vertical for part in state.components.values())
    tables = [
        (state.tables[selector >> 4], state.tables[0x10 | selector & 15]) for selector in selectors
    ]
    if len(parts) == 1:
        (part,) = parts
        across = _divide(state.width * part.horizontal, 8 * widest)
        units = across * _divide(state.height * part.vertical, 8 * tallest)
        blocks = tables
    else:
        units = _divide(state.width, 8 * widest) * _divide(state.height, 8 * tallest)
        blocks = [
            pair
            for part, pair in zip(parts, tables, strict=True)
            for _ in range(part.horizontal * part.vertical)
        ]
    intervals = list(_split_intervals(data))
    each = state.restart_interval or units
    if len(intervals) != _divide(units, each):
        raise _DamageError(
            f"its coded data have {len(intervals):,} parts, not {_divide(units, each):,}"
        )
    for number, part_data in enumerate(intervals):
        _verify_codes(part_data, blocks, min(each, units - number * each))


def _split_intervals(data: bytes) -> Iterator[bytes]:
    """Yield the coded data between restart markers, whose numbers must count from 0 to 7."""
    markers = list(_RESTART.finditer(data))
    for number, marker in enumerate(markers):
        if marker[1][0] & 7 != number & 7:
            raise _DamageError("its restart markers are out of order")
    bounds = [0, *(bound for marker in markers for bound in marker.span()), len(data)]
    for start, end in list(pairwise(bounds))[::2]:
        yield data[start:end].replace(b"\xff\x00", b"\xff")


def _verify_codes(data: bytes, blocks: Sequence[tuple[_Table, _Table]], units: int) -> None:
    """Read the codes of `units` groups of blocks, which must use up the data."""
    padded = data + bytes(-len(data) % 8 + 16)
    words = struct.unpack(f">{len(padded) // 8}Q", padded)
    buffer = count = taken = 0  # the next bits, their number, and that of words read
    try:
        for dc, ac in chain.from_iterable(repeat(blocks, units)):
            if count < 64:
                buffer = (buffer & ((1 << count) - 1)) << 64 | words[taken]
                taken, count = taken + 1, count + 64
            entry = dc[buffer >> (count - 16) & 0xFFFF]
            count -= entry & 63
            position = entry >> _ADVANCE
            while position < 64:
                if count < 32:
                    buffer = (buffer & ((1 << count) - 1)) << 64 | words[taken]
                    taken, count = taken + 1, count + 64
                entry = ac[buffer >> (count - 16) & 0xFFFF]
                count -= entry & 63
                position += entry >> _ADVANCE
            if position > 64 and (position < _END_OF_BLOCK or position >= _NO_CODE):
                raise _DamageError(f"its coded data are damaged before byte {8 * taken:,} of them")
    except IndexError:
        raise _DamageError("its coded data end too early") from None
    used = 64 * taken - count
    if used > 8 * len(data):
        raise _DamageError("its coded data end too early")
    if left := len(data) - _divide(used, 8):
        raise _DamageError(f"its coded data have {left:,} bytes too many")


@lru_cache(maxsize=64)  # most files have the usual tables
def _make_table(definition: bytes) -> _Table:
    """Return a Huffman table: for any next 16 bits, the bits of code and value, and the advance."""
    is_ac = definition[0] >> 4 == 1
    symbols = iter(definition[17:])
    entries: list[int] = []
    for length, number in enumerate(definition[1:17], 1):
        for _ in range(number):
            symbol = next(symbols, 0)
            run, size = symbol >> 4, symbol & 15
            advance = run + 1 if is_ac else 1
            if is_ac and size == 0 and run < 15:
                advance = _END_OF_BLOCK
            entries += [length + size | advance << _ADVANCE] * (1 << (16 - length))
    entries += [1 | _NO_CODE << _ADVANCE] * (65536 - len(entries))
    return tuple(entries[:65536])


def _divide(number: int, by: int) -> int:
    """Return the quotient, rounded up."""
    return -(-number // by)
