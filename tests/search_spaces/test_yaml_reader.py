import math

import pytest

from search_spaces.errors import SpecError
from search_spaces.yaml_reader import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("-2.5e+3", -2500.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("[1e-3, 1.0e-1, {a: 2e-2}]", [1e-3, 0.1, {"a": 2e-2}]),
        ("3", 3),
        ("-7", -7),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-.inf", -math.inf),
        (".INF", math.inf),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("a:", {"a": None}),
        ("no", "no"),
        ("on", "on"),
        ("1e-3x", "1e-3x"),
        ("'1e-3'", "1e-3"),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("parquet:../x", "parquet:../x"),
        ("{a: [], b: {}}", {"a": [], "b": {}}),
        ("# only a comment", None),
    ],
)
def test_plain_values_are_read_as_they_look(text: str, value: object) -> None:
    got = read_yaml(text)
    assert got == value
    assert type(got) is type(value)


def test_nan_is_read_as_a_float() -> None:
    nan = read_yaml(".nan")
    assert isinstance(nan, float)
    assert math.isnan(nan)


@pytest.mark.parametrize(
    ("text", "path", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", (1, 3)),
        ("a:\n  b:\n    c: 1\n    c: 2\n", "a.b.c", (3, 4)),
        ("a:\n- b: 1\n- c: 1\n  c: 2\n", "a[1].c", (3, 4)),
        ("{a: {b: 1, b: 2}}", "a.b", (1, 1)),
    ],
)
def test_a_duplicate_key_is_an_error_at_any_depth(text: str, path: str, lines: tuple[int, int]) -> None:
    with pytest.raises(SpecError) as refusal:
        read_yaml(text)
    assert str(refusal.value).startswith(f"{path}: duplicate key, on line {lines[0]} and on line {lines[1]}")


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object:os.system x",
        "a: !!python/object/apply:os.system [echo]",
        "a: [!!python/tuple [1]]",
        "a: !!set {x}",
        "a: !mine 3",
        "!!timestamp 2020-01-01",
        "a: !!int three",
        "!!python/name:os.system {a: 1}",
    ],
)
def test_tags_are_refused_wherever_they_stand(text: str) -> None:
    with pytest.raises(SpecError, match=r"line 1: got .*allowed: plain text"):
        read_yaml(text)


def test_a_string_tag_that_changes_nothing_else_is_fine() -> None:
    assert read_yaml("name: !!str 3") == {"name": "3"}


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "&x [*x]",
        "base: &b {k: 1}\nc:\n  <<: *b",
        "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
    ],
)
def test_aliases_are_refused_so_that_nothing_can_expand(text: str) -> None:
    with pytest.raises(SpecError, match=r"got the alias \*\w; .*write the value out"):
        read_yaml(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 5000, "{a: " * 3000, "? " * 3000])
def test_deep_nesting_is_refused_before_it_costs_anything(text: str) -> None:
    with pytest.raises(SpecError, match=r"more than 20 levels|not valid YAML"):
        read_yaml(text)


def test_ten_thousand_values_are_read_and_more_are_refused() -> None:
    assert read_yaml("[" + "1, " * 9_999 + "]") == [1] * 9_999
    with pytest.raises(SpecError, match="more than 10000 keys and values; allowed: up to 10000"):
        read_yaml("[" + "1, " * 10_000 + "]")


@pytest.mark.parametrize("text", ["a: [1", "a: 'x", "a: b: c", "\ta: 1", "%YAML 9", "a\nb: 1", "a: @x", "--- a\n--- b"])
def test_a_syntax_error_gives_line_and_column_on_one_line(text: str) -> None:
    with pytest.raises(SpecError, match=r"^line \d+, column \d+: not valid YAML \([^\n]+\)$"):
        read_yaml(text)


@pytest.mark.parametrize("content", [b"\xff\xff", b"a: \x00", b"\xc3(", b"a: \x07"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(SpecError, match="not readable as YAML text"):
        read_yaml(content)


def test_a_number_of_ten_thousand_digits_is_refused_and_not_a_crash() -> None:
    with pytest.raises(SpecError, match="does not read as int"):
        read_yaml("9" * 10_000)


@pytest.mark.parametrize("text", ["1: x", "true: x", "~: x", "[a]: x", "{a: 1}: x", '"a\\nb": x'])
def test_keys_must_be_names(text: str) -> None:
    with pytest.raises(SpecError, match="allowed: keys that are names"):
        read_yaml(text)


def test_all_mistakes_of_one_text_are_listed() -> None:
    with pytest.raises(SpecError) as refusal:
        read_yaml("a: 1\na: 2\nb: !x 3\nc: {d: 1, d: 2}")
    assert len(str(refusal.value).splitlines()) == 3
