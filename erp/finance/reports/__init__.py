"""Reports of the general ledger and of open items; importing this package puts them into the report centre."""

from erp.finance.reports.ageing import AgedPayables, AgedReceivables
from erp.finance.reports.ledger import GeneralLedger
from erp.finance.reports.trial_balance import TrialBalance

__all__ = ["AgedPayables", "AgedReceivables", "GeneralLedger", "TrialBalance"]
