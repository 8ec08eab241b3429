"""Import of rosters from plain rows (Chinese column -> text). 机构、人员、居民导入

Good rows go in, the others come back with the reason. Importing twice changes nothing: a blank cell never erases, a row
never ends care, and only what differs is written, with an audit entry. Columns may stand in any order, further ones are
ignored. No function commits.
"""

from models.roster_campaigns import import_campaigns
from models.roster_organisations import import_organisations
from models.roster_plans import import_plans
from models.roster_residents import ResidentImport, import_residents
from models.roster_rows import FIRST_LINE, Imported, MissingColumns, Refused, Row, require_columns
from models.roster_workers import import_workers, worker_phone

__all__ = [
    "FIRST_LINE",
    "Imported",
    "MissingColumns",
    "Refused",
    "ResidentImport",
    "Row",
    "import_campaigns",
    "import_organisations",
    "import_plans",
    "import_residents",
    "import_workers",
    "require_columns",
    "worker_phone",
]
