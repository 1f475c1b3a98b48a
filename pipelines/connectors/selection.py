"""Which keys are documents of a source."""

from dataclasses import dataclass

from pipelines.connectors.globs import Glob


@dataclass(frozen=True)
class Selection:
    """Some `include` matches and no `exclude` does."""

    include: tuple[Glob, ...]
    exclude: tuple[Glob, ...] = ()

    def takes(self, key: str) -> bool:
        return any(glob.matches(key) for glob in self.include) and not any(glob.matches(key) for glob in self.exclude)

    def skips_all_below(self, folder: str) -> bool:
        return any(glob.covers(folder) for glob in self.exclude)
