"""What a source's owner promised, judged in every run before anything new is published.

One step judges all rules that one asset decides. A broken rule that blocks ends the run there: what readers see stays as it was, and
only permissions, which the listing has recorded already, have moved on.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence

import dagster as dg
from dagster_shared.utils.warnings import PreviewWarning

from pipelines.assets.documents import documents
from pipelines.assets.embeddings import embeddings
from pipelines.assets.partitions import SOURCES
from pipelines.assets.source_listing import source_listing
from pipelines.resources import Workbench
from pipelines.stages.index import apply_changes
from pipelines.stages.look_inside import inspection_of
from retrieval.domain.contract_rules import LossGuard, Verdict, judge_centroid, judge_documents, judge_listing
from retrieval.domain.contracts import ContractTerms, Rule
from retrieval.domain.errors import ArchivistError
from retrieval.domain.ingestion import FAILED, SourceRun

ACCEPT_LOSS_TAG = "archivist/accept-loss"
"""A run with this tag set to `yes` may lose any number of documents: a person has looked and says that it is meant."""

_DESCRIPTIONS = {
    Rule.DOCUMENT_COUNT: "The source lists as many documents as its owner promises.",
    Rule.LOST_DOCUMENTS: "The listing does not lack more readable documents than the owner, or the service, allows.",
    Rule.UNREADABLE_SHARE: "No more documents than promised have no readable permission.",
    Rule.QUARANTINED_SHARE: "No more documents than promised could not be taken in.",
    Rule.REQUIRED_METADATA: "Documents have the metadata that the owner promises, within the budget of each name.",
    Rule.FORMATS: "Every document has an allowed format.",
    Rule.LANGUAGES: "Every document is in an allowed language.",
    Rule.SIZE_DRIFT: "Documents are about as long as after the last successful run.",
    Rule.CENTROID_DRIFT: "Documents are about what they were about after the last successful run.",
    Rule.PERSONAL_DATA: "Personal data is where the owner's policy lets it be.",
    Rule.SECRETS: "Secrets are where the owner's policy lets them be.",
    Rule.INSTRUCTIONS: "Orders to a model and hidden text are where the owner's policy lets them be.",
}
_Judge = Callable[[dg.AssetCheckExecutionContext, Workbench, SourceRun, ContractTerms], Sequence[Verdict]]


def _contract_check(asset: dg.AssetsDefinition, rules: Sequence[Rule], judge: _Judge) -> dg.AssetChecksDefinition:
    """A step that judges these rules. Partitioned checks are a preview in Dagster 1.13: they work, and warn that they may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)
        specs = [
            dg.AssetCheckSpec(rule.value, asset=asset, description=_DESCRIPTIONS[rule], blocking=True, partitions_def=SOURCES)
            for rule in rules
        ]

    @dg.multi_asset_check(name=f"contract_of_{asset.key.to_python_identifier()}", specs=specs)
    def contract(context: dg.AssetCheckExecutionContext, workbench: dg.ResourceParam[Workbench]) -> Iterator[dg.AssetCheckResult]:
        try:
            verdicts = _judged(context, workbench, judge)
        except ArchivistError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        for verdict in verdicts:
            yield dg.AssetCheckResult(
                passed=verdict.passed,
                check_name=verdict.rule.value,
                asset_key=asset.key,
                severity=dg.AssetCheckSeverity.ERROR if verdict.blocks else dg.AssetCheckSeverity.WARN,
                description=verdict.found,
                metadata=dict(verdict.counts),
            )

    return contract


def _judged(context: dg.AssetCheckExecutionContext, workbench: Workbench, judge: _Judge) -> Sequence[Verdict]:
    """The verdicts, kept. A run that must not publish ends in the ledger; its permissions go out all the same."""
    catalog = workbench.catalog
    run = catalog.runs.resume(context.partition_key, context.run.run_id)
    spec = catalog.sources.get(run.source).spec
    verdicts = judge(context, workbench, run, spec.contract)
    catalog.contract_verdicts.record(run.source, spec.contract, verdicts, run=run.id, owner=spec.owner)
    broken = [f"{verdict.rule}: {verdict.found}" for verdict in verdicts if verdict.blocks and not verdict.passed]
    if broken:
        problem = "the contract is broken and nothing new is published: " + "; ".join(broken)
        catalog.runs.finish(run, outcome=FAILED, problem=problem, counts=workbench.tally(run.id))
        if workbench.settings.index_backend == "server":
            apply_changes(workbench.ingestion.feed, workbench.ingestion.server_index, workbench.settings)
    return verdicts


def _of_listing(context: dg.AssetCheckExecutionContext, workbench: Workbench, run: SourceRun, terms: ContractTerms) -> Sequence[Verdict]:
    settings = workbench.settings
    is_accepted = context.run.tags.get(ACCEPT_LOSS_TAG) == "yes"
    guard = LossGuard(settings.contract_max_lost_share, settings.contract_lost_least_documents, is_accepted=is_accepted)
    return tuple(judge_listing(terms, workbench.catalog.contract_measures.listing(run), guard))


def _of_documents(_context: dg.AssetCheckExecutionContext, workbench: Workbench, run: SourceRun, terms: ContractTerms) -> Sequence[Verdict]:
    return tuple(judge_documents(terms, workbench.catalog.contract_measures.documents(run, terms, inspection_of(terms))))


def _of_embeddings(
    _context: dg.AssetCheckExecutionContext, workbench: Workbench, run: SourceRun, terms: ContractTerms
) -> Sequence[Verdict]:
    model = workbench.ingestion.embedder.model
    return (judge_centroid(terms, workbench.catalog.contract_measures.centroid(run, terms, model)),)


CONTRACT_CHECKS = [
    _contract_check(source_listing, (Rule.DOCUMENT_COUNT, Rule.LOST_DOCUMENTS, Rule.UNREADABLE_SHARE), _of_listing),
    _contract_check(
        documents,
        (
            Rule.QUARANTINED_SHARE,
            Rule.REQUIRED_METADATA,
            Rule.FORMATS,
            Rule.LANGUAGES,
            Rule.SIZE_DRIFT,
            Rule.PERSONAL_DATA,
            Rule.SECRETS,
            Rule.INSTRUCTIONS,
        ),
        _of_documents,
    ),
    _contract_check(embeddings, (Rule.CENTROID_DRIFT,), _of_embeddings),
]
