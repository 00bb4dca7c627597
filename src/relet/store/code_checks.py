"""What records claim of the code that a run ran, compared with the files that the store holds of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from relet.core.definitions import EXISTS, REST, part_digests
from relet.core.normal_form import NestsTooDeepError, parsed, source_digest
from relet.core.record import RunRecord
from relet.errors import StoreError
from relet.store import objects, trees
from relet.store.bucket import Bucket


@dataclass(frozen=True)
class StoredCode:
    """Code trees. Each tree is read once, and each file that a record speaks of is parsed once.

    `files_of` gives the files of a tree, path → SHA-256, and `read` the bytes of a SHA-256. Both raise StoreError
    where that can't be read.
    """

    files_of: Callable[[str], Mapping[str, str]]
    read: Callable[[str], bytes]
    _trees: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _digests: dict[tuple[str, frozenset[str] | None], dict[str, str] | None] = field(default_factory=dict)
    _too_deep: set[str] = field(default_factory=set)
    _judged: dict[tuple[str, str, str, frozenset[str] | None], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, bucket: Bucket) -> StoredCode:
        """The code trees of a store."""
        return cls(lambda tree: trees.files_of(bucket, tree), lambda digest: objects.read(bucket, digest))

    def false_claims(self, record: RunRecord) -> Iterator[str]:
        """Each module whose digest in a record's key is not that of its file in the record's tree, in words.

        What the tree does not hold, and what can't be read or has another Python's syntax, is not judged. A module
        that nests too deep to be parsed is named: no run can have had its digest.
        """
        if record.parts is None or not record.code.tree:
            return
        for module, (held, claims) in _claims_by_module(record.parts.code).items():
            if self._nests_too_deep(record.code.tree, module):
                yield f"has the code of {module}, whose stored file can't be parsed: it nests too deep"
                continue
            for part, digest in claims.items():
                if self._is_false(record.code.tree, module, part, digest, held):
                    what = f"{module}:{part}" if part else module
                    yield f"says that the code of {what} has the digest {digest}, which its stored file has not"

    def _nests_too_deep(self, tree: str, module: str) -> bool:
        found = _files_of_module(self._files(tree), module)
        return any(self._digests_of(sha, None) is None and sha in self._too_deep for sha in found)

    def _is_false(self, tree: str, module: str, part: str, digest: str, held: frozenset[str] | None) -> bool:
        asked = (tree, f"{module}:{part}", digest, held)
        if asked not in self._judged:
            found = [self._digests_of(sha, held) for sha in _files_of_module(self._files(tree), module)]
            known = [each.get(part) for each in found if each is not None]
            agrees = any(known) if digest == EXISTS else digest in known
            self._judged[asked] = bool(found) and len(known) == len(found) and not agrees
        return self._judged[asked]

    def _files(self, tree: str) -> Mapping[str, str]:
        if tree not in self._trees:
            self._trees[tree] = {}
            with suppress(StoreError):
                self._trees[tree] = self.files_of(tree)
        return self._trees[tree]

    def _digests_of(self, sha: str, held: frozenset[str] | None) -> dict[str, str] | None:
        """The digests of a stored file's parts, of which a key holds some; None where they can't be worked out.

        Without `held` the digest of the whole, under "".
        """
        asked = sha, held
        if asked not in self._digests:
            self._digests[asked] = None
            try:
                content = self.read(sha)
                whole = source_digest(content)
                self._digests[asked] = {"": whole} if held is None else part_digests(parsed(content), held)
            except NestsTooDeepError:
                self._too_deep.add(sha)
            except (StoreError, SyntaxError):
                pass
        return self._digests[asked]


def _claims_by_module(code: Mapping[str, str]) -> dict[str, tuple[frozenset[str] | None, dict[str, str]]]:
    """What a key says of each module: which functions of it count, None for all, and part → digest.

    >>> _claims_by_module({"p.a": "rest 12", "p.a:f": "34", "p.b": "56"})
    {'p.a': (frozenset({'f'}), {'': 'rest 12', 'f': '34'}), 'p.b': (None, {'': '56'})}
    """
    claims: dict[str, dict[str, str]] = {}
    for name, digest in code.items():
        module, _, function = name.partition(":")
        claims.setdefault(module, {})[function] = str(digest)
    return {
        module: (frozenset(said.keys() - {""}) if _is_in_parts(said) else None, said)
        for module, said in claims.items()
    }


def _is_in_parts(said: Mapping[str, str]) -> bool:
    return len(said) > 1 or said.get("", "").startswith(REST)


def _files_of_module(files: Mapping[str, str], module: str) -> list[str]:
    """The digests of the files that may be a module's: below the project's folder, or else below any other root.

    >>> _files_of_module({"p/a.py": "1", "src/p/a.py": "2"}, "p.a")
    ['1']
    >>> _files_of_module({"src/p/a/__init__.py": "3"}, "p.a")
    ['3']
    """
    place = module.replace(".", "/")
    ends = (f"{place}/__init__.py", f"{place}.py")
    exact = [files[end] for end in ends if end in files]
    return exact or [sha for path, sha in files.items() if path.endswith(tuple(f"/{end}" for end in ends))]
