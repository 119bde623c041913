"""Templates of Alimtalks as files, for the command line."""

from pathlib import Path
from typing import Any

from server.errors import BadInput

Data = dict[str, Any]
AROUND = frozenset({"key", "name", "template", "bindings", "declaration"})
"""What a file may say besides the template."""


def read_template_file(file: Path, key: str | None) -> Data:
    """What `saveAlimtalkTemplate` takes of this file. Raises BadInput with everything that is wrong."""
    from channels.alimtalk.reading import read_template, to_data
    from server.schema.alimtalk_inputs import to_given

    data = _data_of(file)
    around = data if "template" in data else {"template": data}
    if unknown := sorted(around.keys() - AROUND):
        raise BadInput(f"{file}: a template's file has no {', '.join(unknown)}.")
    template, findings = read_template(around["template"])
    if template is None or findings:
        told = (f"{'.'.join(map(str, one.path)) or 'template'}: {one.message_en}" for one in findings)
        raise BadInput("\n".join(f"{file}: {one}" for one in told))
    given: Data = {"key": key or around.get("key") or file.stem, "template": to_given(to_data(template))}
    if around.get("name"):
        given["name"] = str(around["name"])
    if around.get("bindings") is not None:
        given["bindings"] = _bindings(file, around["bindings"])
    if around.get("declaration") is not None:
        given["declaration"] = _declaration(file, around["declaration"])
    return given


def _data_of(file: Path) -> Data:
    from server.files.reading import read_text

    try:
        data = read_text(file.read_text(encoding="utf-8")).data
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: this is no text in UTF-8: byte {error.start}.") from error
    if not isinstance(data, dict):
        raise BadInput(f"{file}: a template is an object.")
    return data


def _bindings(file: Path, given: object) -> list[Data]:
    if not isinstance(given, dict):
        raise BadInput(f"{file}: bindings: an object of names and texts is wanted.")
    return [{"name": str(name), "value": str(value)} for name, value in given.items()]


_WORDS = {"notice_of": "noticeOf", "ground": "ground"}
_TEXTS = {
    "issue_condition": "issueCondition",
    "terms_version": "termsVersion",
    "terms_at": "termsAt",
    "company": "company",
}


def _declaration(file: Path, given: object) -> Data:
    if not isinstance(given, dict):
        raise BadInput(f"{file}: declaration: an object is wanted.")
    names = {**_WORDS, **_TEXTS, "is_expiry_notice": "isExpiryNotice"}
    if unknown := sorted(str(name) for name in given.keys() - names.keys()):
        raise BadInput(
            f"{file}: declaration: there is no {', '.join(unknown)}; there are: {', '.join(names)}."
        )
    found: Data = {_TEXTS[name]: str(value) for name, value in given.items() if name in _TEXTS}
    found |= {_WORDS[name]: str(value).upper() for name, value in given.items() if name in _WORDS and value}
    if "is_expiry_notice" in given:
        found["isExpiryNotice"] = given["is_expiry_notice"]
    return found
