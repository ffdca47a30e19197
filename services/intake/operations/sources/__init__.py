"""Reading catalogues that others wrote: what a row says is taken, what is odd about it is named."""

from services.intake.operations.sources.drafts import Draft
from services.intake.operations.sources.oddities import KINDS, Notes, Oddity
from services.intake.operations.sources.reading import Reading, read_procedures
from services.intake.operations.sources.rows import AGENCIES, Row, UnreadableError, read_rows, rows_of
from services.intake.operations.sources.units import AgencyReading, merged_provinces, read_agencies

__all__ = [
    "AGENCIES",
    "KINDS",
    "AgencyReading",
    "Draft",
    "Notes",
    "Oddity",
    "Reading",
    "Row",
    "UnreadableError",
    "merged_provinces",
    "read_agencies",
    "read_procedures",
    "read_rows",
    "rows_of",
]
