"""What a catalog file may hold, and what becomes of one that is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from pathlib import Path

import pytest

from providers import schema
from providers.errors import ConflictingConfig, InvalidDeclaration, UnknownProvider

SCHEMA_PAGE = Path(__file__).parents[2] / "docs" / "schema" / "provider.schema.json"

GOOD = """
id = "acme"
name = "Acme"
kind = "hosted"
docs = "https://acme.example/docs"
aliases = ["acme-ai"]

[auth]
env = ["ACME_API_KEY", "ACME_TOKEN"]
source = "docs"

[values.region]
env = ["ACME_REGION"]
default = "eu"
meaning = "where the models run"

[values.account]
env = ["ACME_ACCOUNT"]
meaning = "the account's id"

[[endpoints]]
protocol = "anthropic-messages"
base_url = "https://{region}.acme.example/{account}/"
models = ["claude-*"]
headers = { x-account = "{account}" }
auth = { scheme = "header", name = "x-api-key", source = "docs" }
source = "docs"

[[endpoints]]
protocol = "openai-completions"
base_url = "https://acme.example/v1"
path = "/{region}/{model}/chat"
lacks = ["tools"]
deviations = { max_tokens_field = "max_tokens" }
source = "docs"

[claims]
tools = { offered = true, source = "docs" }
vision = { offered = false, source = "docs" }

[refusals.bad_key]
status = 401
message = "Who are you?"
code = 17
source = "docs"

[sources.docs]
url = "https://acme.example/docs"
read = 2026-11-21
"""


MODELS = """
[[models]]
id = "m"
context_window = -1
source = "docs"

[[models]]
id = "m"
price = { input = -1.0, output = 1.0 }
source = "docs"

[sources.docs]"""


def written(folder: Path, text: str, name: str = "acme") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


def faults(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(written(folder, text))
    return raised.value.faults


def test_a_good_file_becomes_a_provider(tmp_path: Path) -> None:
    """Every part of a file is found again in the provider."""
    acme = schema.load_file(written(tmp_path, GOOD))
    assert acme.protocols == ("anthropic-messages", "openai-completions")
    assert acme.offered == {"tools": True, "vision": False}
    assert [acme.offered_at(declared)["tools"] for declared in acme.endpoints] == [True, False]
    assert acme.refusals["bad_key"].code == 17
    assert acme.sources["docs"].read.isoformat() == "2026-11-21"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('kind = "hosted"', 'kind = "moon"', "kind: "),
        ('name = "Acme"', "name = 7", "name: "),
        ('name = "Acme"', 'nmae = "Acme"', "nmae: "),
        ('id = "acme"', 'id = "amce"', "id: expected 'acme'"),
        ('"acme-ai"', '"Acme AI"', "aliases.0: "),
        ('"ACME_TOKEN"', '"ACME-TOKEN"', "auth.env.1: "),
        ("[auth]", '[auth]\nscheme = "pigeon"', "auth.scheme: unknown scheme 'pigeon'"),
        ("[auth]", '[auth]\nscheme = "header"', "auth.scheme: scheme 'header' needs a name"),
        ('"openai-completions"', '"openai-chat"', "endpoints.1.protocol: unknown protocol 'openai-chat'"),
        ('"https://acme.example/v1"', '"acme.example/v1"', "endpoints.1.base_url: expected an http(s) URL"),
        ('"https://acme.example/v1"', '"https://"', "endpoints.1.base_url: expected an http(s) URL"),
        ('"https://acme.example/v1"', '"https://u:p@acme.example"', "endpoints.1.base_url: "),
        ('name = "Acme"', 'name = "Ac\\u001bme"', "name: control characters"),
        ('"acme-ai"', '"acme"', "aliases.0: 'acme' is there already"),
        ("read = 2026-11-21", "read = 2999-01-01", "sources.docs.read: expected a day that has been"),
        ("[sources.docs]", MODELS, "models.0.context_window: "),
        ("[sources.docs]", MODELS, "models.1.price.input: "),
        ("[sources.docs]", MODELS, "models.1.id: 'm' is there already"),
        ("{region}.acme", "{regoin}.acme", "endpoints.0.base_url: {regoin} is not in [values]"),
        ('x-account = "{account}"', 'x-account = "{user}"', "endpoints.0.headers.x-account: {user}"),
        ('["tools"]', '["tolls"]', "endpoints.1.lacks.0: unknown feature 'tolls'"),
        ("max_tokens_field", "max_token_field", "endpoints.1.deviations: unknown deviation"),
        ('= "max_tokens"', '= "most_tokens"', "endpoints.1.deviations: max_tokens_field: "),
        ("tools = {", "tolls = {", "claims.tolls: unknown feature 'tolls'"),
        ("offered = false", 'offered = "no"', "claims.vision.offered: "),
        ("[refusals.bad_key]", "[refusals.bad_mood]", "refusals.bad_mood: "),
        ("[refusals.bad_key]", "[systems.us]\nid = 1\n[refusals.bad_key]", "systems.us: unknown system"),
        ('code = 17\nsource = "docs"', 'code = 17\nsource = "rumour"', "refusals.bad_key.source: 'rumour'"),
        ("read = 2026-11-21", 'read = "long ago"', "sources.docs.read: "),
    ],
)
def test_a_fault_is_told_with_its_key(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """One wrong key is one fault, which begins with the key."""
    assert old in GOOD
    told = faults(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in told if line.startswith(fault)], told


HEADERS = 'headers = { x-account = "{account}" }'
PATH = 'path = "/{region}/{model}/chat"'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            HEADERS,
            r'headers = { "x-a" = "b\r\nEvil: 1" }',
            "endpoints.0.headers.x-a: expected printable ASCII",
        ),
        (HEADERS, r'headers = { "x-a" = "b\u0000" }', "endpoints.0.headers.x-a: expected printable ASCII"),
        (HEADERS, 'headers = { "x a:" = "b" }', "endpoints.0.headers.x a:: no field has this name"),
        (HEADERS, 'headers = { "" = "b" }', "endpoints.0.headers.: no field has this name"),
        (
            HEADERS,
            'headers = { Content-Length = "3" }',
            "endpoints.0.headers.Content-Length: the transfer itself",
        ),
        (
            HEADERS,
            r'call_headers = { "x\n" = "vision" }',
            "endpoints.0.call_headers.x\n: no field has this name",
        ),
        (HEADERS, r'query = { a = "b\nc" }', "endpoints.0.query.a: expected printable ASCII"),
        (HEADERS, r'query = { "a\u0007" = "b" }', "endpoints.0.query.a\a: expected printable ASCII"),
        (HEADERS, 'query = { "" = "b" }', "endpoints.0.query.: expected a name"),
        (PATH, r'path = "/chat\r\n"', "endpoints.1.path: expected printable ASCII"),
        (PATH, 'path = "/a chat"', "endpoints.1.path: expected a slash, no blanks"),
        (PATH, 'path = "chat"', "endpoints.1.path: expected a slash, no blanks"),
        ('name = "x-api-key"', 'name = "x api key"', "endpoints.0.auth.name: no field has this name"),
        (
            "[values.region]",
            '[[auth.forms]]\nprefix = "p"\nsource = "docs"\nheaders = { "x\\n" = "y" }\n\n[values.region]',
            "auth.forms.0.headers.x\n: no field has this name",
        ),
    ],
)
def test_what_no_request_can_carry_is_a_fault(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """The names and values of fields and parameters, and a path, are judged when the file is read."""
    assert old in GOOD
    told = faults(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in told if line.startswith(fault)], told


DOCS = 'docs = "https://acme.example/docs"'
URL = 'url = "https://acme.example/docs"'
BARE_MODELS = """
[[models]]
id = ""
source = "docs"

[[models]]
id = " "
source = "docs"

[sources.docs]"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (DOCS, 'docs = "javascript:alert(1)"', "docs: expected the address of a page, seen no http(s) URL"),
        (DOCS, 'docs = "the manual"', "docs: expected the address of a page, seen blanks"),
        (DOCS, 'docs = "https://"', "docs: expected the address of a page, seen no http(s) URL"),
        (DOCS, 'docs = "https://[x/"', "docs: expected the address of a page, seen Invalid IPv6 URL"),
        (
            DOCS,
            'docs = "https://acme.example/><script>"',
            "docs: expected the address of a page, seen blanks",
        ),
        (
            URL,
            'url = "javascript:alert(1)"',
            "sources.docs.url: expected an http(s) URL or a package, seen no",
        ),
        (URL, 'url = "JavaScript:alert(1) 1.0"', "sources.docs.url: expected an http(s) URL or a package"),
        (URL, 'url = "data:text/html,<b>"', "sources.docs.url: expected an http(s) URL or a package"),
        (
            URL,
            'url = " file:///etc/passwd"',
            "sources.docs.url: expected an http(s) URL or a package, seen control",
        ),
        (
            URL,
            r'url = "java\nscript:x"',
            "sources.docs.url: expected an http(s) URL or a package, seen control",
        ),
        (
            URL,
            'url = "https:///docs"',
            "sources.docs.url: expected an http(s) URL or a package, seen no http",
        ),
        ("[sources.docs]", BARE_MODELS, "models.0.id: expected a name"),
        ("[sources.docs]", BARE_MODELS, "models.1.id: expected a name"),
        ('name = "Acme"', 'name = ""', "name: expected a name"),
    ],
)
def test_a_link_to_no_page_and_an_empty_name_are_faults(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    """What becomes a link leads to a page, and what is named has a name."""
    assert old in GOOD
    told = faults(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in told if line.startswith(fault)], told


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/docs",
        "https://acme.example/docs (the section on chat)",
        "@earendil-works/pi-ai 1.5.2",
        "io.github.tasure:sure-ai-yi 1.9.0",
    ],
)
def test_a_source_is_a_page_or_a_package(tmp_path: Path, url: str) -> None:
    """An address may have words behind it; a package may be named as its registry does."""
    text = GOOD.replace(URL, f'url = "{url}"')
    assert schema.load_file(written(tmp_path, text)).sources["docs"].url == url


def test_all_faults_of_a_file_are_told_together(tmp_path: Path) -> None:
    """Faults of different kinds, in different places, come in one error."""
    text = GOOD
    for old, new in (
        ('kind = "hosted"', 'kind = "moon"'),
        ('"openai-completions"', '"openai-chat"'),
        ('"https://acme.example/v1"', '"acme.example/v1"'),
        ("tools = {", "tolls = {"),
        ('code = 17\nsource = "docs"', 'code = 17\nsource = "rumour"'),
        ("{region}.acme", "{regoin}.acme"),
    ):
        text = text.replace(old, new, 1)
    keys = sorted(line.split(": ")[0] for line in faults(tmp_path, text))
    assert keys == [
        "claims.tolls",
        "endpoints.0.base_url",
        "endpoints.1.base_url",
        "endpoints.1.protocol",
        "kind",
        "refusals.bad_key.source",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'id = "acme', "not readable as TOML"),
        (b"id = 'a'\nid = 'b'", "not readable as TOML"),
        (b'id = "\xff"', "not readable as TOML"),
        (b"", "id: "),
        (b'id = "acme"\nendpoints = 3\nsources = []\nvalues = 1', "endpoints: "),
        (b'id = "acme"\nendpoints = [1]', "endpoints.0: "),
    ],
    ids=["cut", "duplicate key", "not UTF-8", "empty", "wrong shapes", "wrong endpoint"],
)
def test_a_file_of_any_shape_is_a_declaration_error(tmp_path: Path, content: bytes, fault: str) -> None:
    """Whatever a file holds, it loads or is told as InvalidDeclaration."""
    path = tmp_path / "acme.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert any(line.startswith(fault) for line in raised.value.faults), raised.value.faults
    assert raised.value.where == f"{tmp_path.name}/acme.toml"


UPSTREAM = '[auth.upstream]\nenv = ["ACME_API_KEY"]\nsource = "docs"\n\n'


def renamed(name: str, *, alias: str = "", variable: str = "", shared: bool = False) -> str:
    text = GOOD.replace('id = "acme"', f'id = "{name}"').replace("acme-ai", alias or f"{name}-ai")
    own = variable or f"{name.upper()}_API_KEY"
    line = f'env = ["{own}"]' + (f'\nshared = ["{own}"]' if shared else "")
    return text.replace('env = ["ACME_API_KEY", "ACME_TOKEN"]', line)


def test_a_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    """Good files load beside a bad one, which is kept as a fault."""
    written(tmp_path, GOOD)
    written(tmp_path, "id = 1", "bad")
    written(tmp_path, renamed("zeta"), "zeta")
    catalog = schema.load(tmp_path)
    assert [provider.id for provider in catalog] == ["acme", "zeta"]
    assert [fault.where for fault in catalog.faults] == [f"{tmp_path.name}/bad.toml"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (renamed("zeta", alias="acme"), "aliases.0: 'acme' is already an id or alias of {folder}/acme.toml"),
        (
            renamed("zeta", alias="acme-ai"),
            "aliases.0: 'acme-ai' is already an id or alias of {folder}/acme.toml",
        ),
        (
            renamed("zeta", variable="ACME_API_KEY"),
            "auth.env: ACME_API_KEY is read by {folder}/acme.toml too",
        ),
        (
            renamed("zeta").replace('["ACME_ACCOUNT"]', '["ACME_API_KEY"]'),
            "values.account.env: ACME_API_KEY is read by {folder}/acme.toml too",
        ),
        (
            renamed("zeta").replace("[values.region]", UPSTREAM + "[values.region]"),
            "auth.upstream.env: ACME_API_KEY is read by {folder}/acme.toml too",
        ),
    ],
    ids=["id", "alias", "variable", "value", "upstream"],
)
def test_what_an_earlier_file_owns_cannot_be_taken(tmp_path: Path, text: str, fault: str) -> None:
    """A second owner of an id, an alias or a variable is the later file's fault."""
    written(tmp_path, GOOD)
    written(tmp_path, text, "zeta")
    catalog = schema.load(tmp_path)
    assert [provider.id for provider in catalog] == ["acme"]
    assert isinstance(catalog.faults[0], InvalidDeclaration)
    assert catalog.faults[0].faults[0].startswith(fault.format(folder=tmp_path.name))


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """An id of the other folder cannot be taken either, and is named with its whole path."""
    first, second = tmp_path / "a" / "catalog", tmp_path / "b" / "catalog"
    for folder, variable in ((first, "ACME_API_KEY"), (second, "MINE_API_KEY")):
        folder.mkdir(parents=True)
        (folder / "acme.toml").write_text(GOOD.replace("ACME_API_KEY", variable), "utf-8")
    catalog = schema.load(first, second)
    assert len(catalog) == 1
    assert catalog.get("acme").auth.env[0] == "ACME_API_KEY"
    (fault,) = catalog.faults
    assert f"id: 'acme' is already an id or alias of {first / 'acme.toml'}" in str(fault)
    again = schema.load(first, tmp_path / "b" / ".." / "a" / "catalog")
    assert (len(again), again.faults) == (1, ())


def test_a_shared_variable_is_lawful_when_declared(tmp_path: Path) -> None:
    """A provider may read another's variable if it says so."""
    written(tmp_path, GOOD)
    written(tmp_path, renamed("zeta", variable="ACME_API_KEY", shared=True), "zeta")
    assert len(schema.load(tmp_path)) == 2


def test_an_id_goes_before_an_alias(tmp_path: Path) -> None:
    """A file whose alias is another file's id is at fault, though it comes first; the other one loads."""
    written(tmp_path, GOOD.replace("acme-ai", "zeta"))
    written(tmp_path, renamed("zeta"), "zeta")
    catalog = schema.load(tmp_path)
    assert [provider.id for provider in catalog] == ["zeta"]
    assert f"aliases.0: 'zeta' is already an id or alias of {tmp_path.name}/zeta.toml" in str(
        catalog.faults[0]
    )


def test_conflicts_are_told_with_the_other_faults(tmp_path: Path) -> None:
    """A file that is wrong and takes another's names hears of both at once."""
    written(tmp_path, GOOD)
    written(tmp_path, renamed("zeta", alias="acme").replace('"hosted"', '"moon"'), "zeta")
    (fault,) = schema.load(tmp_path).faults
    assert isinstance(fault, InvalidDeclaration)
    assert [line.split(":")[0] for line in fault.faults] == ["kind", "aliases.0"]


def test_a_list_of_faulty_members_is_not_too_short(tmp_path: Path) -> None:
    """Endpoints that are all wrong are told one by one, and not as missing."""
    told = faults(tmp_path, GOOD.replace('base_url = "https://', 'base_url = "ftp://'))
    assert [line.split(":")[0] for line in told] == ["endpoints.0.base_url", "endpoints.1.base_url"]


def test_a_password_in_an_address_is_not_told(tmp_path: Path) -> None:
    """The fault of a base URL with user information does not repeat it."""
    (told,) = faults(
        tmp_path, GOOD.replace('"https://acme.example/v1"', '"https://u:pa55@acme.example?k=pa55"')
    )
    assert "user information, a query" in told
    assert "pa55" not in told


def test_deep_nesting_is_a_fault(tmp_path: Path) -> None:
    """A file nested beyond what can be read is told by name, and the others load."""
    written(tmp_path, GOOD)
    written(tmp_path, "id = " + "[" * 3000 + "]" * 3000, "deep")
    catalog = schema.load(tmp_path)
    assert [provider.id for provider in catalog] == ["acme"]
    assert "deep.toml: 1 fault(s): not readable as TOML: nested too deeply" in str(catalog.faults[0])


def test_the_schema_lists_protocols_and_their_deviations() -> None:
    """An editor is told the protocols, the form of a base URL, and the deviations of each protocol."""
    endpoint = json.loads(schema.json_schema())["$defs"]["EndpointDeclaration"]
    assert "openai-completions" in endpoint["properties"]["protocol"]["enum"]
    assert re.match(endpoint["properties"]["base_url"]["pattern"], "HTTPS://acme.example/v1")
    by_name = {each["if"]["properties"]["protocol"]["const"]: each["then"] for each in endpoint["allOf"]}
    names = by_name["openai-completions"]["properties"]["deviations"]["propertyNames"]["enum"]
    assert "max_tokens_field" in names


def test_an_earlier_folder_owns_its_names(tmp_path: Path) -> None:
    """Folders are read in the order given, whatever their names."""
    first, second = tmp_path / "z", tmp_path / "a"
    for folder in (first, second):
        folder.mkdir()
        written(folder, GOOD)
    catalog = schema.load(first, second)
    assert (len(catalog), len(catalog.faults)) == (1, 1)


def test_an_endpoint_is_chosen_and_filled(tmp_path: Path) -> None:
    """The first endpoint for protocol and model wins; values come before defaults."""
    acme = schema.load_file(written(tmp_path, GOOD))
    claude = acme.endpoint(model="claude-9", values={"account": "a1", "region": "us"})
    assert claude.protocol == "anthropic-messages"
    assert claude.base_url == "https://us.acme.example/a1"
    assert claude.headers == (("x-account", "a1"),)
    other = acme.endpoint(model="other-1")
    assert other.url("/chat/completions", "other-1") == "https://acme.example/v1/eu/other-1/chat"
    assert other.deviations.max_tokens_field == "max_tokens"
    assert claude.features == {"tools"}
    assert not other.features
    assert other.refusals["bad_key"].message == "Who are you?"
    assert acme.endpoint(model="other-1", base_url="http://localhost:1/").base_url == "http://localhost:1"


def test_a_missing_value_names_its_variable(tmp_path: Path) -> None:
    """A placeholder that nothing fills is the operator's error, with the variable to set."""
    acme = schema.load_file(written(tmp_path, GOOD))
    with pytest.raises(ConflictingConfig) as raised:
        acme.endpoint("anthropic-messages", "claude-9")
    assert raised.value.next_step == "set ACME_ACCOUNT"


def test_no_endpoint_for_a_call_is_told(tmp_path: Path) -> None:
    """A protocol that the provider does not speak for a model is refused with what it speaks."""
    acme = schema.load_file(written(tmp_path, GOOD))
    with pytest.raises(ConflictingConfig) as raised:
        acme.endpoint("anthropic-messages", "other-1")
    assert "openai-completions" in raised.value.expected


def test_an_endpoint_inherits_the_providers_variables(tmp_path: Path) -> None:
    """An endpoint's own scheme without variables takes those of the provider."""
    acme = schema.load_file(written(tmp_path, GOOD))
    auth = acme.auth_for("anthropic-messages")
    assert (auth.scheme, auth.name, auth.env) == ("header", "x-api-key", ("ACME_API_KEY", "ACME_TOKEN"))
    assert acme.auth_for("openai-completions") == acme.auth


def test_what_is_no_ordinary_file_is_a_fault(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a socket, a device, a folder and a link to nowhere are named and not
    waited for."""
    written(tmp_path, GOOD)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "nowhere.toml").symlink_to(tmp_path / "absent")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):
        listening.bind("socket.toml")
        catalog = schema.load(tmp_path)
    assert [each.id for each in catalog] == ["acme"]
    faults = [fault for fault in catalog.faults if isinstance(fault, InvalidDeclaration)]
    names = ["device.toml", "folder.toml", "nowhere.toml", "pipe.toml", "socket.toml"]
    assert [Path(each.path).name for each in faults] == names
    assert {each.faults for each in faults} == {("not readable as TOML: it is no ordinary file",)}


def test_a_catalog_finds_by_id_and_alias(tmp_path: Path) -> None:
    """Ids and aliases name a provider; anything else is refused with the known ids."""
    written(tmp_path, GOOD)
    catalog = schema.load(tmp_path)
    assert catalog.get("acme-ai") is catalog.get("acme")
    with pytest.raises(UnknownProvider) as raised:
        catalog.get("nobody")
    assert raised.value.expected == "one of acme"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("groq", "groq"),
        ("Z.AI", "zai"),
        ("bedrock", "amazon-bedrock"),
        ("Copilot", "github-copilot"),
        ("doubao", "volcengine"),
        ("gemini_cli", "google-gemini-cli"),
        ("kimicode", "kimi-coding"),
        ("chatgpt", "openai-codex"),
        ("opencode_go", "opencode-go"),
        ("openai", "openai"),
    ],
)
def test_a_provider_is_found_by_what_systems_call_it(name: str, expected: str) -> None:
    """An id or alias goes first, then the id of any client system, in any case."""
    assert schema.all().find(name).id == expected


def test_a_name_of_several_providers_says_which() -> None:
    """What one system calls one provider and another one another is refused with both."""
    with pytest.raises(UnknownProvider) as raised:
        schema.all().find("cloudflare")
    assert raised.value.expected == "cloudflare-ai-gateway (zeroclaw) or cloudflare-workers-ai (zot)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("groqq", "perhaps groq"),
        ("antropic", "perhaps anthropic"),
        ("Grok", "perhaps xai or groq"),  # a word of the display name goes before what is spelt nearly so
        ("?" * 90, "one of "),
    ],
)
def test_a_name_of_nobody_suggests_what_is_near(name: str, expected: str) -> None:
    """A misspelt name is answered with those close to it, and not with every id there is."""
    with pytest.raises(UnknownProvider) as raised:
        schema.all().find(name)
    assert expected in raised.value.expected
    assert len(str(raised.value)) < 400


def test_the_published_json_schema_is_current() -> None:
    """The editors' schema is what ``python -m providers.schema`` prints."""
    assert SCHEMA_PAGE.read_text("utf-8") == schema.json_schema()
