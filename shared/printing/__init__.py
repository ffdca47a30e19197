"""Printed matter: slips, letters and receipts as PDF/A-2b, set by typst in Tinos.

A template is a .typ file of a service that imports /shared/printing/letterhead.typ. What it shows comes in as data
(JSON), never as typst code: whatever a citizen typed is printed as he typed it. The same data dated the same moment
gives the same bytes.
"""

from shared.printing.fonts import FontsMissing
from shared.printing.press import PressBusy, TooMuchToPrint, render
from shared.printing.qr import qr_svg
from shared.printing.words import day_in_words, dong, moment_in_words, short_day, short_moment

__all__ = [
    "FontsMissing",
    "PressBusy",
    "TooMuchToPrint",
    "day_in_words",
    "dong",
    "moment_in_words",
    "qr_svg",
    "render",
    "short_day",
    "short_moment",
]
