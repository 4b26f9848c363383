"""`libra round verify`: check a release against its commitment, without any server."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.errors import CommandError, field_names, message_of
from libra.cli.exit_codes import NEEDS_ATTENTION
from libra.cli.files.round_files import require_absent
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render.sanitize import sanitize
from libra.commitment.commitment import Commitment, read_commitment
from libra.commitment.mismatch import Mismatch
from libra.commitment.verification import find_proof, is_proof, verify_proof, verify_release

FIELD_NAMES = {
    "release": "RELEASE",
    "commitment": "COMMITMENT",
    "sample": "--sample",
    "public_key": "--public-key",
}


@click.command()
@click.argument("release", type=EXISTING_FILE)
@click.argument("commitment", type=EXISTING_FILE)
@click.option("--sample", metavar="ID", help="Check only this sample: TASK/ORDINAL, or its own id.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the sample with its inclusion proof to this new file.",
)
@click.option("--public-key", default="", metavar="HEX", help="The key that the commitment must be signed with.")
def verify(release: Path, commitment: Path, sample: str | None, proof: Path | None, public_key: str) -> None:
    """Check RELEASE against the COMMITMENT of its round.

    \b
    libra round verify 2027Q1.release.jsonl 2027Q1.commitment.json
    libra round verify 2027Q1.release.jsonl 2027Q1.commitment.json \\
      --sample math/4 --proof math-4.json
    libra round verify math-4.json 2027Q1.commitment.json

    It needs only the two files. It checks the signature, every sample's salted hash and inclusion proof, the hash of
    the seed, that the seed draws these samples, and that nothing is missing but samples which the seed reserves as
    anchors. The commitment names its own key: compare that with the publisher's, or give it with --public-key.

    The exit code is 0 if everything matches, and 1 if something does not.
    """  # noqa: D301 - click reads the \b
    if proof and not sample:
        raise click.UsageError("--proof needs --sample")
    if proof:
        require_absent(proof, option="--proof")
    try:
        with field_names(FIELD_NAMES):
            click.echo(_verify(release, read_commitment(commitment.read_bytes(), public_key), sample, proof))
    except Mismatch as mismatch:
        raise CommandError(f"NOT VERIFIED: {message_of(mismatch)}", NEEDS_ATTENTION) from None


def _verify(release: Path, commitment: Commitment, sample: str | None, proof: Path | None) -> str:
    """Return what was verified; raise Mismatch, or another CallerError for a file that is none of a round."""
    signed = f"The commitment is signed with the key {commitment.public_key}."
    with release.open("rb") as file:
        first = file.readline()
        file.seek(0)
        if is_proof(first):
            proved = verify_proof(file.read(), commitment)
            return f"VERIFIED: {_name(proved)} is a sample of the round {commitment.round}.\n{signed}"
        if sample:
            data = find_proof(file, commitment, sample)
            proved = verify_proof(data, commitment)
            if proof:
                proof.write_bytes(data)
            return f"VERIFIED: {_name(proved)} is a sample of the round {commitment.round}.\n{signed}"
        found = verify_release(file, commitment)
    return (
        f"VERIFIED: {found.released:,} of {found.samples:,} samples of {found.tasks:,} tasks of the round "
        f"{found.round}; {found.sealed:,} are still sealed as anchors.\n{signed}"
    )


def _name(sample: dict[str, object]) -> str:
    return sanitize(f"{sample['task']}/{sample['ordinal']}")
