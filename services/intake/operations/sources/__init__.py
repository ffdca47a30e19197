"""Reading catalogues that others wrote: what a row says is taken, what is odd about it is named."""

from services.intake.operations.sources.drafts import Draft
from services.intake.operations.sources.oddities import KINDS, Notes, Oddity
from services.intake.operations.sources.reading import Reading, read_procedures
from services.intake.operations.sources.rows import Row, read_rows, rows_of

__all__ = ["KINDS", "Draft", "Notes", "Oddity", "Reading", "Row", "read_procedures", "read_rows", "rows_of"]
