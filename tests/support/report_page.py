"""What a test does with a report's page in a browser."""

import struct
import zlib

HOSTILE = "<img src=x onerror=alert(1)>'\"&"  # a label
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def one_pixel():
    """A PNG of one pixel."""

    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0\xff"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def column(page, heading, table="comparison-msmt17"):
    """Texts of a column from top to bottom, visible rows only."""
    section = page.locator(f"#{table}")
    headings = [text.strip() for text in section.locator("thead th").all_inner_texts()]
    cells = section.locator(f"tbody tr:not([hidden]) > :nth-child({headings.index(heading) + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def press_heading(page, heading, table="comparison-msmt17"):
    button = page.locator(f"#{table} thead button").get_by_text(heading, exact=True)
    button.click()
    return button.locator("xpath=..").get_attribute("aria-sort")


def cell(page, row, heading, table="comparison-msmt17"):
    """The button in a cell."""
    number = column(page, "Method", table).index(row)
    headings = page.locator(f"#{table} thead th").all_inner_texts()
    place = [text.strip() for text in headings].index(heading) + 1
    rows = page.locator(f"#{table} tbody tr:not([hidden])")
    return rows.nth(number).locator(f"> :nth-child({place}) button")
