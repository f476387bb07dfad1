"""Files between the steps of an import: kept on the server, with what was found out about them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kit.exchange import importing
from kit.exchange.importing_batch import Importer, Options, Progress, Report
from kit.exchange.importing_records import RecordImporter
from kit.exchange.reading import Table, read_table
from kit.pages.resources import Resource, registry
from kit.values.errors import BusinessError

FOLDER = "imports"
DAYS = 2  # how long a file waits for its next step
SMALL = 500  # rows that are imported in the request; more make a job
SALT = "kit.import"
CHECK, WRITE = "check", "write"


@dataclass(frozen=True)
class Upload:
    """A file that somebody uploaded to be imported on the page of a resource."""

    path: str
    name: str
    resource: str
    user: int
    rows: int
    options: dict[str, bool] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The signed text that stands for the file in addresses."""
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @property
    def importer(self) -> Importer:
        """How the file is imported."""
        return importer_for(registry[self.resource])

    @property
    def large(self) -> bool:
        """Whether the work is too long for a request."""
        return self.rows > SMALL

    def open(self) -> Table:
        """The rows of the file."""
        try:
            with default_storage.open(self.path) as file:
                return read_table(file.read(), self.name)
        except FileNotFoundError:
            raise BusinessError(_("The file is not kept any more. Upload it again.")) from None

    def report(self, step: str) -> Report | None:
        """What came of a step; None before it was done."""
        try:
            with default_storage.open(f"{self.path}.{step}") as file:
                return Report.from_json(json.loads(file.read()))
        except FileNotFoundError:
            return None

    def run(self, step: str, by: Any, *, partial: bool = False, progress: Progress | None = None) -> Report:
        """Check or import the file, and keep the report."""
        options = Options(**self.options, partial=partial, dry_run=step == CHECK)
        table = self.open()
        try:
            report = importing.run(self.importer, table, by=by, options=options, progress=progress)
        finally:
            table.close()
        name = f"{self.path}.{step}"
        default_storage.delete(name)
        default_storage.save(name, ContentFile(json.dumps(report.as_json()).encode()))
        return report


def importer_for(resource: Resource) -> Importer:
    """The kind of file for the page of `resource`: a registered one, else its fields."""
    return importing.registered_for(resource.slug) or RecordImporter(resource.slug)


def keep(content: bytes, name: str, resource: Resource, user: Any, options: dict[str, bool]) -> Upload:
    """Store an uploaded file; BusinessError says why it cannot be read."""
    table = read_table(content, name)
    try:
        rows = sum(1 for _row in table) - 1
    finally:
        table.close()
    _tidy()
    path = default_storage.save(f"{FOLDER}/{timezone.localdate()}/{uuid.uuid4()}", ContentFile(content))
    return Upload(path, name[:200], resource.slug, user.pk, rows, options)


def kept(token: str, resource: Resource, user: Any) -> Upload | None:
    """The file behind a token, if it is this person's and meant for this page; None when it is gone."""
    try:
        upload = Upload(**signing.loads(token, salt=SALT, max_age=dt.timedelta(days=DAYS)))
    except signing.BadSignature:
        return None
    fits = upload.resource == resource.slug and upload.user == user.pk
    return upload if fits and default_storage.exists(upload.path) else None


def _tidy() -> None:
    """Delete the files of days gone by."""
    try:
        folders, _files = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return
    for folder in folders:
        if folder < str(timezone.localdate() - dt.timedelta(days=DAYS)):
            _folders, files = default_storage.listdir(f"{FOLDER}/{folder}")
            for file in files:
                default_storage.delete(f"{FOLDER}/{folder}/{file}")
            default_storage.delete(f"{FOLDER}/{folder}")


def job_params(upload: Upload, step: str, *, partial: bool = False) -> dict[str, Any]:
    """What a job needs to know to do `step`."""
    return {"upload": asdict(upload), "step": step, "partial": partial, "language": translation.get_language() or "en"}


def work(params: Mapping[str, Any], *, by: Any, progress: Progress | None = None) -> dict[str, Any]:
    """Do `step` of an import as a job; the result leads back to the page."""
    upload = Upload(**params["upload"])
    if by is None or not by.is_active or not registry[upload.resource].may_import(by):
        raise BusinessError(_("You may not import this any more."))

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total or upload.rows)

    with translation.override(params["language"]):
        report = upload.run(params["step"], by, partial=params["partial"], progress=tell)
    done = "&done=1" if params["step"] == WRITE else ""
    address = f"{registry[upload.resource].url('import')}?file={upload.token}{done}"
    return {"url": address, "new": report.new, "updated": report.updated, "errors": report.bad_rows}
