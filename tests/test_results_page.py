"""The tables of docs/results.md are what the recorded studies give."""

from pathlib import Path

from benchmarks.claims import CLAIMS, RECORDED, load_studies, parts

PAGE = (Path(__file__).parents[1] / "docs" / "results.md").read_text()


def test_every_table_on_the_page_is_what_the_program_prints() -> None:
    studies = load_studies(RECORDED)
    assert {(model, claim.study) for claim in CLAIMS for model in claim.models} == set(studies)
    for part in parts(studies):
        assert part in PAGE
