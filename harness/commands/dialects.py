"""``wirecheck resolve``, ``models``, ``login``, ``logout`` and ``dialect``: arguments and printing only.

Exit codes: 0 all is well, 1 something was found (no credential, a vector that does not hold), 2 the
input cannot be used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.commands import telling
from harness.dialects import display, homes, logins, oauth, pages, vectors
from harness.dialects.checks import run as dialect_run
from harness.dialects.vectors import Profile
from harness.errors import UnusableInput
from providers.auth.logins import Server
from providers.errors import Explained
from reports import escaping

app = typer.Typer(no_args_is_help=True, help="Whose key, whose models: as a client system decides it.")
dialect_app = typer.Typer(no_args_is_help=True, help="The rules of the client systems.")
app.add_typer(dialect_app, name="dialect")

DialectName = Annotated[
    str, typer.Option("--dialect", help="zot, pi, mayros, zeroclaw, gomodel; or …@newest.")
]
Home = Annotated[Path | None, typer.Option("--home", help="The home directory; yours by default.")]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="Variables from this file instead of the environment.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _environ(env_file: Path | None) -> dict[str, str]:
    return homes.read_env_file(env_file) if env_file else dict(os.environ)


def _folder(home: Path | None) -> Path:
    """The home directory. Raises UnusableInput for one that is named and is not there."""
    if home is not None and not home.is_dir():
        raise UnusableInput(f"{home} is no directory", expected="a home directory")
    return home or Path.home()


def _print_json(value: object) -> None:
    telling.as_json(value)


def _unusable(fault: Explained) -> typer.Exit:
    telling.say(escaping.line(f"error: {fault}"))
    return typer.Exit(2)


@app.command("resolve")
def resolve(
    dialect: DialectName,
    provider: Annotated[str, typer.Option("--provider", help="The provider's id in that system.")],
    model: Annotated[str | None, typer.Option("--model")] = None,
    api_key: Annotated[str | None, typer.Option("--api-key", help="As if given on its command line.")] = None,
    env_file: EnvFile = None,
    home: Home = None,
    run_commands: Annotated[bool, typer.Option(help="Run a winning !command, as the system would.")] = True,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Refresh a winning token that is due, and store it.")
    ] = False,
    client_id: Annotated[str, typer.Option(help="Your OAuth client, for --refresh.")] = "",
    token_url: Annotated[str, typer.Option(help="The token endpoint, for --refresh.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show which credential a client system uses, and why; values are masked."""
    server = Server(client_id=client_id, token_url=token_url)
    try:
        chosen = homes.dialect(dialect)
        flags = {} if api_key is None else {"api_key": api_key}
        environ, folder = _environ(env_file), _folder(home)
        world = homes.given(chosen, environ, folder, flags, run_commands=run_commands)
        if refresh:
            resolved = oauth.resolve(chosen, world, environ, folder, server, provider, model)
        else:
            resolved = homes.resolve_offline(chosen, world, provider, model)
    except Explained as fault:
        raise _unusable(fault) from None
    if as_json:
        _print_json(display.resolved_plain(chosen, resolved))
    else:
        print(display.resolved_text(chosen, resolved))
    raise typer.Exit(display.exit_code(resolved))


@app.command("models")
def models(
    dialect: DialectName, home: Home = None, env_file: EnvFile = None, as_json: AsJson = False
) -> None:
    """Show the merged catalogue of a client system, each field with its origin."""
    try:
        chosen = homes.dialect(dialect)
        world = homes.given(chosen, _environ(env_file), _folder(home), {})
        catalogue = chosen.models(homes.with_builtin_models(chosen, world))
    except Explained as fault:
        raise _unusable(fault) from None
    if as_json:
        _print_json(display.catalogue_plain(chosen, catalogue))
    else:
        print(display.catalogue_text(chosen, catalogue))
    raise typer.Exit(1 if catalogue.faults else 0)


@app.command("login")
def login(
    provider: Annotated[str, typer.Argument(help="The provider's id in that system.")],
    dialect: DialectName,
    home: Home = None,
    env_file: EnvFile = None,
    client_id: Annotated[str, typer.Option(help="Your OAuth client; logs in for a token.")] = "",
    token_url: Annotated[str, typer.Option(help="The token endpoint.")] = "",
    authorize_url: Annotated[str, typer.Option(help="The authorization endpoint: a browser login.")] = "",
    device_url: Annotated[str, typer.Option(help="The device endpoint: a device login.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="A scope to ask for.")] = None,
) -> None:
    """Store a provider's key, or an OAuth token, in the auth file of zot or pi; neither is shown."""
    server = Server(
        client_id=client_id,
        token_url=token_url,
        authorize_url=authorize_url,
        device_url=device_url,
        scope=tuple(scope or ()),
    )
    try:
        chosen = homes.dialect(dialect)
        environ = _environ(env_file)
        variables = logins.instructions(chosen, provider)
        if variables:
            telling.say(f"{provider} is set up by variables: {', '.join(variables)}")
            return
        if client_id:
            token = oauth.log_in(server, show=telling.warn)
            path = oauth.keep(chosen, environ, _folder(home), provider, token)
        else:
            key = _asked(f"Key of {provider}")
            path = logins.login(chosen, environ, _folder(home), provider, key)
    except Explained as fault:
        raise _unusable(fault) from None
    telling.say(f"stored in {path}")


def _asked(question: str) -> str:
    """A secret typed without echo, or the first line of what is piped in. Raises UnusableInput."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True))
    try:
        line = sys.stdin.readline()
        line.encode("utf-8")  # some locales let broken bytes in as surrogates
    except UnicodeError:
        raise UnusableInput("the key is no UTF-8 text", expected="the provider's key") from None
    return line


@app.command("logout")
def logout(
    provider: Annotated[str, typer.Argument(help="The provider's id in that system.")],
    dialect: DialectName,
    home: Home = None,
    env_file: EnvFile = None,
) -> None:
    """Remove a provider's stored credentials from the auth file of zot or pi."""
    try:
        chosen = homes.dialect(dialect)
        removed = logins.logout(chosen, _environ(env_file), _folder(home), provider)
    except Explained as fault:
        raise _unusable(fault) from None
    print(f"removed {provider}" if removed else f"nothing was stored for {provider}")


@dialect_app.command("verify")
def verify(
    files: Annotated[list[Path], typer.Argument(help="Files of vectors.")],
    profile: Annotated[str, typer.Option("--profile", help="default or newest.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Run vectors, ours or other people's, against the dialects."""
    try:
        report = vectors.verify(files, _profile(profile))
    except Explained as fault:
        raise _unusable(fault) from None
    if as_json:
        _print_json(report.plain())
    else:
        print(display.report_text(report))
    if not report.total:
        print(f"error: no vector was found for profile {profile}", file=sys.stderr)
        raise typer.Exit(2)
    raise typer.Exit(1 if report.failures else 0)


def _profile(name: str) -> Profile:
    if name == "default":
        return "default"
    if name == "newest":
        return "newest"
    raise typer.BadParameter("default or newest", param_hint="--profile")


@dialect_app.command("check")
def check(
    dialect: Annotated[str, typer.Option("--dialect", help="A glob: pi, zot*, *@newest.")] = "*",
    provider: Annotated[str, typer.Option("--provider", help="A glob of the system's own ids.")] = "*",
    checks: Annotated[list[str] | None, typer.Option("--check", help="Globs of check ids.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the credential, merge, rotation and fallback checks on the dialects."""
    chosen = dialect_run.select(dialect, provider, tuple(checks or ("*",)))
    results = [dialect_run.judge(cell) for cell in chosen]
    if not results:
        print("error: nothing is selected; wirecheck dialect check without options runs everything")
        raise typer.Exit(2)
    if as_json:
        _print_json({"counts": dialect_run.counts(results), "results": results})
    else:
        telling.say(dialect_run.text(results))
    raise typer.Exit(1 if any(result.verdict in ("failed", "errored") for result in results) else 0)


@dialect_app.command("docs")
def docs(
    out: Annotated[Path, typer.Option(help="The folder of the pages.")] = pages.FOLDER,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; tell what would change.")] = False,
) -> None:
    """Write the pages about the dialects."""
    stale = pages.write(out, check=check)
    for path in stale:
        print(f"{'stale' if check else 'wrote'} {path}")
    raise typer.Exit(1 if check and stale else 0)
