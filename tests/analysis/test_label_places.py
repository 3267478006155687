"""Names beside points."""

from analysis.figures.label_places import label_places


def test_a_lone_point_has_its_name_on_top() -> None:
    assert label_places([1.0], [2.0], ["lbrd"], (400, 300)) == ["top center"]


def test_points_on_one_place_have_their_names_around_it() -> None:
    places = label_places([0.0, 0.5, 0.5, 0.5, 0.5], [0.0, 0.5, 0.5, 0.5, 0.5], ["a", *["lbrd"] * 4], (400, 300))
    assert places[1:] == ["top center", "bottom center", "middle right", "middle left"]


def test_a_name_keeps_away_from_the_point_above() -> None:
    places = label_places([0.0, 0.5, 0.5], [0.0, 0.5, 0.52], ["a", "ldbr", "lbdr"], (400, 300))
    assert places[1:] == ["bottom center", "top center"]
