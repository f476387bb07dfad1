"""Official documents, their numbers and ways, and seals."""

from oa.official.models.documents import IncomingDocument, OutgoingDocument, OutgoingReceipt
from oa.official.models.levels import Clearance, DocumentClass, UnitWord, UrgencyTerm
from oa.official.models.seals import Seal, SealRequest
from oa.official.models.turns import OfficialNumber, OfficialOpinion, OfficialReminder, OfficialTurn, OutgoingText

__all__ = [
    "Clearance",
    "DocumentClass",
    "IncomingDocument",
    "OfficialNumber",
    "OfficialOpinion",
    "OfficialReminder",
    "OfficialTurn",
    "OutgoingDocument",
    "OutgoingReceipt",
    "OutgoingText",
    "Seal",
    "SealRequest",
    "UnitWord",
    "UrgencyTerm",
]
