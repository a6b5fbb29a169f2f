"""Raw files to documents, whatever they are and wherever they lie.

find       a source's files: walked, inspected, described          given      what paths and sidecars say
stores     folders of this machine and stores that fsspec reaches  kinds      what a name says of the format
records    what readers give; formats/ has a reader for each       columns    which column holds what
streams    compressions undone in bounded memory                   limits     what protects the run
reading    files to tables of documents                            tables     those tables
files      the files of a job as columns                           names      two records of one name told apart
cuts       what is one batch
"""

from copydesk.sources.cuts import Cut
from copydesk.sources.files import FILES, Files, with_ids
from copydesk.sources.find import Found, asked_of, file_uri, find_files
from copydesk.sources.given import read_sidecar, remembered
from copydesk.sources.kinds import SUFFIXES, Kind, kind_of
from copydesk.sources.limits import Limits
from copydesk.sources.names import Names
from copydesk.sources.reading import (
    RECORDS,
    Piece,
    documents_of,
    extracted,
    given_row,
    pieces,
    read_batch,
    unpack,
)
from copydesk.sources.stores import UNMARKED, opened, read_all
from copydesk.sources.tables import DOCUMENTS, GIVEN, REFUSED, Asked, RawFile, Refused, document_id, row

__all__ = [
    "DOCUMENTS",
    "FILES",
    "GIVEN",
    "RECORDS",
    "REFUSED",
    "SUFFIXES",
    "UNMARKED",
    "Asked",
    "Cut",
    "Files",
    "Found",
    "Kind",
    "Limits",
    "Names",
    "Piece",
    "RawFile",
    "Refused",
    "asked_of",
    "document_id",
    "documents_of",
    "extracted",
    "file_uri",
    "find_files",
    "given_row",
    "kind_of",
    "opened",
    "pieces",
    "read_all",
    "read_batch",
    "read_sidecar",
    "remembered",
    "row",
    "unpack",
    "with_ids",
]
