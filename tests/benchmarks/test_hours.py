"""What docs/train.md shows of quality by hours is made of the kept rows."""

from benchmarks.hours import PAGE, PICTURE, clock, picture, read, with_table


def test_the_page_and_its_picture_are_made_of_the_rows() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, read()) == page
    assert picture(read()) == PICTURE.read_text(encoding="utf-8")


def test_a_row_more_is_a_row_and_two_dots_more() -> None:
    rows = read()
    more = [*rows, {**rows[10], "minutes": "390", "hybrid": "0.180"}]
    page = with_table(PAGE.read_text(encoding="utf-8"), more)
    assert page.count(clock(390)) == 1
    assert "| 0.180 |" in page
    assert picture(more).count("<circle") == picture(rows).count("<circle") + 2
