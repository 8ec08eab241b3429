"""What people type is read as they meant it, or asked; tables of real lines, and properties over all numbers and days."""

import csv
from calendar import monthrange
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import cn2an
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.measurements.alcohol import Spirit, drink_to_spirit, round_half_up
from handlers.reading.dates import add_months, find_day, read_day
from handlers.reading.day_lists import find_days
from handlers.reading.market_days import find_market
from handlers.reading.normalise import tidy
from handlers.reading.numerals import numbers_in, read_number, to_arabic
from handlers.reading.periods import find_period, read_period
from models.identity import (
    Identity,
    NotAnIdentity,
    check_identity,
    mask_identity,
    mask_phone,
    read_phone,
)
from models.names import fuzzy_keys, initials, name_candidates, pinyin_keys, similarity
from models.surnames import COMPOUND_SURNAMES, SURNAMES

SUNDAY = date(2026, 11, 22)
RISING = {12, 23, 34, 45, 56, 67, 78, 89, 35}  # said digit by digit they may also mean "seven or eight"


def table(name):
    with (Path(__file__).parent / "reading" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(iter(rows[0]))
    return [pytest.param(row, id=f"{row[first]}:{row.get('prefer') or row.get('a') or ''}") for row in rows]


# tables


@pytest.mark.parametrize("row", table("tidy.csv"))
def test_tidy(row):
    assert tidy(row["typed"]) == row["tidied"]


@pytest.mark.parametrize("row", table("numerals.csv"))
def test_numbers_in_a_line(row):
    text, protected = tidy(row["text"]), row["protected"].split()
    found = numbers_in(text, protected)
    assert " ".join(f"{'~' * n.approximate}{n.value}" for n in found) == row["numbers"]
    if row["arabic"]:
        assert to_arabic(text, protected) == row["arabic"]
    if all(n.approximate for n in found):
        assert to_arabic(text, protected) == text


@pytest.mark.parametrize("row", table("dates.csv"))
def test_a_day_as_an_answer(row):
    read = read_day(row["text"], SUNDAY, row["prefer"])
    assert (read.on.isoformat() if read.on else "") == row["on"]
    assert (row["doubt"] in read.doubt) if row["doubt"] else read.doubt is None


@pytest.mark.parametrize("row", table("day_lists.csv"))
def test_several_days_together(row):
    found = find_days(tidy(row["text"]), SUNDAY)
    assert " ".join(day.isoformat() for day in found.days) == row["days"]
    assert (row["doubt"] in (found.doubt or "")) if row["doubt"] else found.doubt is None


@pytest.mark.parametrize("row", table("market_days.csv"))
def test_market_days(row):
    found = find_market(row["text"])
    assert (found[0].words() if found else "") == row["words"]
    if found and row["december"]:
        days = found[0].between(date(2026, 12, 1), date(2026, 12, 31))
        assert " ".join(str(day.day) for day in days) == row["december"]
    assert (found[0].calendar or "" if found else "") == row["calendar"]


@pytest.mark.parametrize("row", table("days_in_lines.csv"))
def test_days_in_a_line(row):
    found = find_day(tidy(row["line"]), SUNDAY, row["prefer"], protected=row["protected"].split())
    assert " ".join(day.on.isoformat() if day.on else "?" for day in found) == row["days"]


@pytest.mark.parametrize("row", table("lunar.csv"))
def test_a_lunar_day_is_offered_and_never_taken(row):
    day = read_day(row["said"], SUNDAY, prefer=row["prefer"])
    assert (day.maybe.isoformat() if day.maybe else "") == row["offered"]
    assert day.on is None or "not lunar" in row["why"]


@pytest.mark.parametrize("row", table("periods.csv"))
def test_periods(row):
    found = find_period(row["text"], SUNDAY)
    if not row["first"]:
        assert found is None
        return
    period, rest = found
    assert (period.first.isoformat(), period.last.isoformat()) == (row["first"], row["last"])
    assert (rest, period.title) == (row["rest"], row["title"])
    assert read_period(row["text"], SUNDAY) == (None if rest else period)


@pytest.mark.parametrize("row", table("identity.csv"))
def test_identity_numbers(row):
    if not row["reason"]:
        read = check_identity(row["number"], SUNDAY)
        assert (read.born_on.isoformat(), read.sex) == (row["born_on"], row["sex"])
        assert read.number == tidy(row["number"]).replace(" ", "").upper()
        return
    with pytest.raises(NotAnIdentity) as refused:
        check_identity(row["number"], SUNDAY)
    assert row["reason"] in refused.value.reason


@pytest.mark.parametrize("row", table("names.csv"))
def test_names(row):
    a, b = row["a"], row["b"]
    match row["kind"]:
        case "reading":
            assert b in pinyin_keys(a)
        case "initials":
            assert b in initials(a)
        case "same":
            assert similarity(a, b) == 95
        case "near":
            assert similarity(a, b) == 90
            assert fuzzy_keys(a) & fuzzy_keys(b)
        case "far":
            assert similarity(a, b) < 70
        case "found":
            assert a in name_candidates(b)
        case other:
            pytest.fail(other)


# every number


def styles(n):
    """The ways in which 1 to 999 are said and typed."""
    plain = cn2an.an2cn(n)
    yield from (str(n), str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９")), plain)
    if n >= 200 and plain.startswith("二百"):
        yield "两" + plain[1:]
    if n >= 10 and n not in RISING:
        yield cn2an.an2cn(n, "direct")
        if n >= 100:
            yield cn2an.an2cn(n, "direct").replace("一", "幺")
    if n > 100 and n % 10 == 0 and n % 100:
        yield plain.removesuffix("十")
        if n < 200:
            yield plain.removesuffix("十")[1:]
    if 10 <= n % 100 <= 19 and n > 100:
        yield plain.replace("百一十", "百十")


@pytest.mark.parametrize("hundred", range(0, 1000, 100))
def test_every_number_reads_back(hundred):
    for n in range(max(hundred, 1), hundred + 100):
        for said in styles(n):
            assert read_number(said) == n, said
            if said != "百八":  # after 心率 too, and with a word behind
                assert [x.value for x in numbers_in(tidy(f"心率{said} 规律")) if not x.approximate] == [n], said


@pytest.mark.parametrize("n", sorted(RISING))
def test_neighbouring_digits_are_asked(n):
    assert read_number(cn2an.an2cn(n, "direct")) is None


def test_every_tenth_reads_back():
    for n in range(10, 400):
        whole, tenth = divmod(n, 10)
        said, digit = cn2an.an2cn(whole), cn2an.an2cn(tenth)
        ways = [f"{whole}.{tenth}", f"{whole}点{tenth}", f"{whole}·{tenth}", f"{whole}。{tenth}", f"{whole} . {tenth}"]
        ways += [f"{said}点{digit}", f"{whole}．{tenth}"]
        ways += [f"{said}个{digit}", f"{whole}个{tenth}"] if tenth else []
        ways += [f"{said}个半", f"{whole}个半"] if tenth == 5 else []
        for way in ways:
            assert read_number(way) == n / 10, way


def short(n):
    said = cn2an.an2cn(n)
    return said.removesuffix("十") if n > 100 and n % 100 else said


@pytest.mark.parametrize("way", [cn2an.an2cn, short])
def test_two_pressures_in_one_breath_are_read_right_or_asked(way):
    for systolic in range(71, 280, 7):
        for diastolic in range(40, 131):
            exact = [n.value for n in numbers_in(way(systolic) + way(diastolic)) if not n.approximate]
            assert exact in ([systolic, diastolic], []), way(systolic) + way(diastolic)


def test_pressures_said_with_a_slash():
    for systolic in range(70, 281):
        for diastolic in (40, 66, 89, 90, 94, 100, 101, 110, 112, 120):
            if systolic % 100 and diastolic % 100:
                said = f"{short(systolic)}杠{cn2an.an2cn(diastolic)}"
                assert to_arabic(said) == f"{systolic}/{diastolic}", said


# every day


def in_words(day):
    month, on = cn2an.an2cn(day.month), cn2an.an2cn(day.day)
    return [f"{month}月{on}", f"{month}月{on}号"]


@given(today=st.dates(date(2020, 1, 1), date(2040, 12, 31)), ago=st.integers(0, 20_000))
def test_dates_with_a_year_read_back(today, ago):
    day = today - timedelta(days=ago)
    ways = ["{0:%Y-%m-%d}", "{0:%Y%m%d}", "{0.year}-{0.month}-{0.day}", "{0.year}.{0.month}.{0.day}"]
    ways += ["{0.year}/{0.month}/{0.day}", "{0.year}年{0.month}月{0.day}日", "{0.year}年{0.month}月{0.day}号"]
    for way in ways:
        assert read_day(way.format(day), today).on == day
        assert [found.on for found in find_day(f"张桂兰 {way.format(day)} 152/94", today)] == [day]
    if today.year - day.year < 80:
        assert read_day(f"{day:%y}年{day.month}月{day.day}号", today).on == day


@given(today=st.dates(date(2020, 1, 1), date(2040, 12, 31)), away=st.integers(0, 183))
@example(today=date(2023, 8, 30), away=183)
def test_dates_without_a_year_are_the_nearest(today, away):
    past, future = today - timedelta(days=away), today + timedelta(days=away)
    for prefer, day in (("past", past), ("future", future)):
        for way in (
            f"{day.month}月{day.day}号",
            f"{day.month}月{day.day}日",
            f"{day.month}月{day.day}",
            *in_words(day),
        ):
            assert read_day(way, today, prefer).on == day
        assert read_day(f"{day.month}.{day.day}", today, prefer).on == day
    if away <= 183 and past.month == today.month:
        assert read_day(f"{past.day}号", today).on == past


@given(today=st.dates(date(2020, 1, 1), date(2040, 12, 31)), weekday=st.integers(0, 6))
def test_weeks_begin_on_monday(today, weekday):
    name = "一二三四五六日"[weekday]
    for prefix, weeks in (("上上周", -2), ("上周", -1), ("这周", 0), ("本周", 0), ("下周", 1)):
        there = (today + timedelta(weeks=weeks)).isocalendar()
        assert read_day(prefix + name, today).on.isocalendar() == (there.year, there.week, weekday + 1)
    for prefer, reach in (("past", range(-6, 1)), ("future", range(7))):
        on = read_day("星期" + name, today, prefer).on
        assert on.weekday() == weekday
        assert (on - today).days in reach


@given(st.integers(2000, 2040), st.integers(1, 12), st.integers(1, 31))
def test_a_day_that_does_not_exist_is_asked(year, month, day):
    read = read_day(f"{year}年{month}月{day}日", SUNDAY)
    exists = day <= monthrange(year, month)[1]
    assert read.on == (date(year, month, day) if exists else None)
    assert (read.doubt is None) == exists


def test_months_on_from_a_31st_end_on_the_last_day():
    assert add_months(date(2026, 8, 31), 1) == date(2026, 9, 30)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert add_months(date(2026, 1, 15), -2) == date(2025, 11, 15)


@given(st.dates(date(2001, 1, 1), date(2039, 12, 31)), st.integers(1, 12), st.integers(1, 4))
def test_named_periods_are_whole_and_leaning_ones_end_today(today, month, quarter):
    year = today.year
    whole = read_period(f"{year}年{month}月", today)
    assert (whole.first, whole.last) == (date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    assert read_period(f"{year}-{month:02}", today) == whole
    q = read_period(f"{year}Q{quarter}", today)
    assert (q.first.month, q.last.month) == (quarter * 3 - 2, quarter * 3)
    assert q == read_period(f"{year}年{'一二三四'[quarter - 1]}季度", today)
    without_year = read_period(f"{month}月", today)
    assert without_year.first <= today < add_months(without_year.first, 12)
    for word in ("本周", "本月", "本季度", "今年", "近7天", "今年以来"):
        leaning = read_period(word, today)
        assert leaning.first <= today == leaning.last
    assert read_period(f"{whole.first}..{whole.last}", today) == whole


# identity numbers, phones


def with_check(first17):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first17 + "10X98765432"[sum(int(d) * w for d, w in zip(first17, weights, strict=True)) % 11]


@settings(max_examples=60)
@given(st.integers(110000, 999999), st.dates(date(1900, 1, 1), SUNDAY), st.integers(0, 999))
def test_right_numbers_are_accepted_and_one_wrong_digit_is_refused(county, born, order):
    number = with_check(f"{county}{born:%Y%m%d}{order:03}")
    assert check_identity(number, SUNDAY) == Identity(number, born, "male" if order % 2 else "female")
    for i, right in enumerate(number):
        for wrong in "0123456789X" if i == 17 else "0123456789":
            if wrong != right:
                with pytest.raises(NotAnIdentity):
                    check_identity(number[:i] + wrong + number[i + 1 :], SUNDAY)


def test_a_refusal_never_tells_the_right_digit():
    with pytest.raises(NotAnIdentity) as refused:
        check_identity("431281195603071216", SUNDAY)
    assert "5" not in refused.value.reason


@pytest.mark.parametrize(
    ("typed", "phone", "shown"),
    [
        ("电话13812345678", "13812345678", "138****5678"),
        ("138 1234 5678", "13812345678", "138****5678"),
        ("+86 138-1234-5678", "13812345678", "138****5678"),
        ("１３８１２３４５６７８", "13812345678", "138****5678"),
        ("0745-7712345", "0745-7712345", "0745-***2345"),
        ("07457712345", "0745-7712345", "0745-***2345"),
        ("010-62345678", "010-62345678", "010-****5678"),
        ("13812345678 或 13812345678", "13812345678", "138****5678"),
        ("13812345678 13912345678", None, ""),
        ("1381234567", None, ""),
        ("431281195603071215", None, ""),
        ("23812345678", None, ""),
    ],
)
def test_phones(typed, phone, shown):
    assert read_phone(typed) == phone
    assert mask_phone(phone or "") == shown


@given(st.text("0123456789X", max_size=20))
def test_masks_never_show_a_birthday(number):
    shown = mask_identity(number)
    assert len(shown) == len(number)
    assert set(shown[4:14]) <= {"*"} or len(number) != 18
    assert len(shown) - shown.count("*") <= 8
    assert mask_identity("431281195603071215") == "4312**********1215"


# names


def test_every_surname_is_found_before_the_usual_words():
    for surname in SURNAMES | COMPOUND_SURNAMES:
        for given_name in ("桂兰", "和平", "明", "老四"):
            for after in ("血压152/94", " 150/90", "高压150", "明天来", "规律服药", "今天测"):
                assert surname + given_name in name_candidates(surname + given_name + after)


def test_candidates_come_longest_first_and_once():
    found = name_candidates("欧阳春梅和张桂兰 张桂兰 152/94")
    assert found == sorted(dict.fromkeys(found), key=len, reverse=True)
    assert {"欧阳春梅", "张桂兰", "张桂"} <= set(found)


# drinks


@pytest.mark.parametrize(
    ("reckoned", "value", "said"),
    [
        (drink_to_spirit("红酒", 4, "两"), 1, "红酒4两 = 白酒1两"),
        (drink_to_spirit("葡萄酒", 6, "两"), 1.5, "葡萄酒6两 = 白酒1.5两"),
        (drink_to_spirit("黄酒", 0.5, "斤"), 1, "黄酒0.5斤 = 白酒1两"),
        (drink_to_spirit("啤酒", 2, "瓶"), 2, "啤酒2瓶 = 白酒2两"),
        (drink_to_spirit("白酒", 2, "两"), 2, "白酒2两 = 白酒2两"),
    ],
)
def test_drinks_are_reckoned_in_spirit(reckoned, value, said):
    assert reckoned == Spirit(value, said)


@pytest.mark.parametrize(
    "drink", [("米酒", 1, "斤"), ("药酒", 2, "两"), ("啤酒", 2, "罐"), ("啤酒", 1, "斤"), ("红酒", 1, "瓶")]
)
def test_drinks_outside_the_norm_are_asked(drink):
    assert drink_to_spirit(*drink) is None


def test_halves_are_rounded_up():
    assert [round_half_up(x) for x in (0.5, 1.5, 2.5, 151.5)] == [1, 2, 3, 152]
    assert round_half_up(6.95, 1) == 7.0


# anything at all

WORDS = st.sampled_from(
    [
        *"零〇一二三四五六七八九十百千万两半几多点个次天月号日周年到-/.:。·１９0125度斤尺米片岁左上下这本前后初老龙lOx,\n\u3000()【】😵第每过",
        *"12 94 152 星期 左右 大概 杠 得 比 以来 至今 季度 腊月 农历 今年 国庆 血压 空腹 心率 [语音] 分之 克 Q3 2026 两天 个半".split(),
        " ",
    ]
)
ANYTHING = st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=30)


@settings(max_examples=700, deadline=None, derandomize=True)
@given(typed=ANYTHING, today=st.dates(date(2000, 1, 1), date(2040, 12, 31)))
def test_nothing_raises_and_everything_stays_in_its_place(typed, today):
    text = tidy(typed)
    assert tidy(text) == text
    numbers = numbers_in(text)
    days = find_day(text, today)
    for found in (numbers, days, find_day(text, today, "future", bare=True)):
        ends = [0, *(x.end for x in found)]
        assert all(before <= x.start < x.end <= len(text) for before, x in zip(ends, found, strict=False))
    assert all(text[n.start : n.end] == n.raw for n in numbers)
    assert all((day.on is None) != (day.doubt is None) for day in days)
    read = read_day(typed, today)
    assert read.on is None or read.doubt is None
    period = find_period(typed, today)
    assert period is None or period[0].first <= period[0].last
    assert read_number(typed) is None or len(numbers_in(tidy(typed))) <= 1
    assert 0 <= similarity(typed[:4], text[:4]) <= 100
    assert all(2 <= len(name) <= 4 for name in name_candidates(typed))
    assert read_phone(typed) is None or len(text) >= 10
    with pytest.raises(NotAnIdentity):
        check_identity(typed[:17], today)


@settings(max_examples=700, deadline=None, derandomize=True)
@given(ANYTHING)
def test_writing_numbers_in_digits_makes_no_new_number(typed):
    text = tidy(typed)
    arabic = to_arabic(text)
    before = Counter(n.value for n in numbers_in(text) if not n.approximate)
    after = Counter(n.value for n in numbers_in(arabic) if not n.approximate)
    assert after <= before


@pytest.mark.parametrize(
    "piece", ["一", "1", "l", "七八 ", "十", ".", "1.", "点", "月1", "周", "两", "1月", "百", "[", " ", "1 "]
)
def test_a_whole_screen_of_one_thing_is_no_trouble(piece):
    text = (piece * 4000)[:4000]
    tidied = tidy(text)
    assert len(tidied) <= 4000
    assert all(n.approximate or n.value < 10**8 for n in numbers_in(tidied))
    assert all((day.on is None) != (day.doubt is None) for day in find_day(text, SUNDAY, bare=True))
    period = find_period(text, SUNDAY)
    assert period is None or period[0].first <= period[0].last
