"""The oracle's words in the product's: who asks, and what is registered of a folder."""

from retrieval.domain.answer_policy import terms_from_json
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.sources import Classification, SourceSpec
from tests.permissions.oracle import Asking, Folder

OWNER = "user:dana"
CLASSIFICATIONS = list(Classification)


def principal_of(asking: Asking) -> Principal:
    application = None if asking.application is None else _named(asking.application, PrincipalKind.APP)
    if asking.user is None:
        assert application is not None
        return Principal(application.id, PrincipalKind.APP, sources=asking.only_folders)
    user = _named(asking.user, PrincipalKind.USER)
    return Principal(user.id, groups=asking.vouched_groups, sources=asking.only_folders, through=application)


def spec_of(name: str, folder: Folder) -> SourceSpec:
    classification = CLASSIFICATIONS[folder.sensitivity]
    answers = terms_from_json(folder.answers, [])
    return SourceSpec(id=name, kind="files", title=name, owner=OWNER, classification=classification, region=folder.region, answers=answers)


def _named(subject: str, kind: PrincipalKind) -> Principal:
    return Principal(subject.removeprefix(f"{kind.value}:"), kind)
