"""Directions: what is clear becomes a schedule, everything else a question or a refusal, and never a guess."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.clinic.medications.dosage import understand

NOW = datetime(2026, 12, 1, 7, 0)


def times(sig: str, limit: int = 3, now: datetime = NOW) -> list[str]:
    return [at.strftime("%a %d %H:%M") for at in understand(sig, now).occurrences(limit)]


@pytest.mark.parametrize(
    ("sig", "amount", "first"),
    [
        ("two tabs b.d.s.", (2, "tablet"), ["Tue 01 08:00", "Tue 01 20:00", "Wed 02 08:00"]),
        ("ONE TO BE TAKEN THREE TIMES A DAY", (1, None), ["Tue 01 08:00", "Tue 01 14:00", "Tue 01 20:00"]),
        ("1 cap qid", (1, "capsule"), ["Tue 01 08:00", "Tue 01 12:00", "Tue 01 18:00"]),
        ("one at night", (1, None), ["Tue 01 22:00", "Wed 02 22:00", "Thu 03 22:00"]),
        ("half a tablet every morning", (0.5, "tablet"), ["Tue 01 08:00", "Wed 02 08:00", "Thu 03 08:00"]),
        ("1½ tablets once a day", (1.5, "tablet"), ["Tue 01 08:00", "Wed 02 08:00", "Thu 03 08:00"]),
        ("2 x 500 mg tablets four times a day", (2, "tablet"), ["Tue 01 08:00", "Tue 01 12:00", "Tue 01 18:00"]),
        ("Two 5ml spoonfuls three times daily", (10, "mL"), ["Tue 01 08:00", "Tue 01 14:00", "Tue 01 20:00"]),
        ("amoxicillin 250mg/5ml 5 ml tds", (5, "mL"), ["Tue 01 08:00", "Tue 01 14:00", "Tue 01 20:00"]),
        ("500mg tablet twice daily", (500, "mg"), ["Tue 01 08:00", "Tue 01 20:00", "Wed 02 08:00"]),
        ("1 tab before breakfast, lunch and dinner", (1, "tablet"), ["Tue 01 07:30", "Tue 01 12:30", "Tue 01 17:30"]),
        ("1 capsule tds with meals", (1, "capsule"), ["Tue 01 08:00", "Tue 01 13:00", "Tue 01 18:00"]),
        ("take one at 8 every evening", (1, None), ["Tue 01 20:00", "Wed 02 20:00", "Thu 03 20:00"]),
        ("1 tab 7.30am and 7.30pm", (1, "tablet"), ["Tue 01 07:30", "Tue 01 19:30", "Wed 02 07:30"]),
        ("1 tab 12 hourly", (1, "tablet"), ["Tue 01 08:00", "Tue 01 20:00", "Wed 02 08:00"]),
        ("one patch every 72 hours", (1, "patch"), ["Tue 01 08:00", "Fri 04 08:00", "Mon 07 08:00"]),
        ("1 tab on alternate days", (1, "tablet"), ["Tue 01 08:00", "Thu 03 08:00", "Sat 05 08:00"]),
        ("1 tab daily except Sunday", (1, "tablet"), ["Tue 01 08:00", "Wed 02 08:00", "Thu 03 08:00"]),
        ("1 tab every other Wednesday at 9pm", (1, "tablet"), ["Wed 02 21:00", "Wed 16 21:00", "Wed 30 21:00"]),
        ("inject 1 ml on the 5th of every month", (1, "mL"), ["Sat 05 08:00", "Tue 05 08:00", "Fri 05 08:00"]),
        ("1 drop in the left eye once a day", (1, "drop"), ["Tue 01 08:00", "Wed 02 08:00", "Thu 03 08:00"]),
        ("1 comprimé matin et soir", (1, "tablet"), ["Tue 01 08:00", "Tue 01 18:00", "Wed 02 08:00"]),
        ("eine Tablette dreimal täglich", (1, "tablet"), ["Tue 01 08:00", "Tue 01 14:00", "Tue 01 20:00"]),
        ("1 comprimido de 12 em 12 horas", (1, "tablet"), ["Tue 01 08:00", "Tue 01 20:00", "Wed 02 08:00"]),
    ],
)
def test_clear_directions_become_a_schedule(sig: str, amount: tuple[float, str | None], first: list[str]) -> None:
    understood = understand(sig, NOW)
    assert understood.schedules, understood.asks
    assert understood.amount and (understood.amount.low, understood.amount.unit) == amount
    assert times(sig) == first


@pytest.mark.parametrize(
    ("sig", "total", "last"),
    [
        ("1 tab tds x 7 days", 21, "Mon 07 20:00"),
        ("1 cap bd 2/52", 28, "Mon 14 20:00"),
        ("1 tab every 6 hours for 5 days", 20, "Sun 06 02:00"),
        ("1 tab daily until 5 December", 5, "Sat 05 08:00"),
        ("1 tab bd for 5 doses", 5, "Thu 03 08:00"),
        ("1 tab at night starting tomorrow for 3 days", 3, "Fri 04 22:00"),
        ("60 mg x 3 days, 40 mg x 3 days, 20 mg x 3 days", 9, "Wed 09 08:00"),
        ("500 mg on day 1, then 250 mg once daily on days 2-5", 5, "Sat 05 08:00"),
        ("40mg daily for 4 days reducing by 10mg every 2 days", 10, "Thu 10 08:00"),
    ],
)
def test_ends_are_kept(sig: str, total: int, last: str) -> None:
    understood = understand(sig, NOW)
    assert understood.total == total
    assert times(sig, 1000)[-1] == last


@pytest.mark.parametrize(
    ("sig", "expected"),
    [
        ("2 in the morning and 1 at night", {"08:00": 2, "22:00": 1}),
        ("1 tab mane 2 tabs nocte", {"08:00": 1, "22:00": 2}),
        ("4 units before breakfast and 6 units before dinner", {"07:30": 4, "17:30": 6}),
        ("2-0-1", {"08:00": 2, "18:00": 1}),
    ],
)
def test_amounts_that_differ_within_the_day(sig: str, expected: dict[str, float]) -> None:
    found = {p.start.strftime("%H:%M"): p.amount.low for p in understand(sig, NOW).phases if p.amount}
    assert found == expected


def test_days_with_times_of_their_own_keep_them() -> None:
    assert times("Monday at 8am and Thursday at 9pm") == ["Thu 03 21:00", "Mon 07 08:00", "Thu 10 21:00"]
    assert times("5 mg mon-fri and 10 mg at weekends", 6)[-2:] == ["Sat 05 08:00", "Sun 06 08:00"]


@pytest.mark.parametrize(
    ("sig", "ask"),
    [
        ("1 tab at 8", "am_or_pm"),
        ("once daily at 12", "am_or_pm"),
        ("biw", "twice_a_week_or_every_two_weeks"),
        ("1 tab biweekly", "twice_a_week_or_every_two_weeks"),
        ("1 drop od", "right_eye_or_once_a_day"),
        ("on the 31st of each month", "short_months"),
        ("1 tab weekly", "which_day"),
        ("2 a day", "all_at_once_or_split"),
        ("six times a day", "clock_times"),
        ("every 4-6 hours", "which_interval"),
        ("1 tab 2-3 times a day", "how_often"),
        ("twice a day three times a day", "how_often"),
        ("take as prescribed", "label_text"),
        ("1 tablet", "how_often"),
        ("1 tab daily from 3/12", "start_date"),
        ("1 tab bd until next friday", "end_date"),
        ("metformin 500 bd", "dose_unit"),
        ("take 6 in the morning and 8 at night", "clock_or_amount"),
        ("4-3-2-1", "taper_details"),
        ("1 tab bd unless dizzy", "unclear"),
        ("1 tab bd if my bp is high", "unclear"),
        ("daily x 3", "unclear"),
        ("warfarin as per INR", "label_text"),
        ("", "label_text"),
        ("8am - 8pm", "clock_times"),
        ("ramipril and bisoprolol once daily", "unclear"),
        ("sos", "safety_check"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(sig: str, ask: str) -> None:
    understood = understand(sig, NOW)
    assert not understood.schedules and not understood.phases
    assert ask in understood.asks


@pytest.mark.parametrize(
    "sig",
    [
        "can I take two if it is bad",
        "should I double the next one",
        "what if I forget one",
        "take a bit more if needed",
        "stop taking it when I feel better",
        "halve it",
        "I missed this morning's",
        "is it ok to take both together?",
    ],
)
def test_questions_about_a_dose_are_refused(sig: str) -> None:
    understood = understand(sig, NOW)
    assert understood.kind == "refuse" and not understood.schedules


@pytest.mark.parametrize(
    ("sig", "ask"),
    [
        ("methotrexate 10mg daily", "weekly_only_to_pharmacist"),
        ("alendronate 70 mg once a day", "weekly_only_to_pharmacist"),
        ("methotrexate 2.5mg prn", "weekly_only_to_pharmacist"),
        ("Ozempic every other day", "weekly_only_to_pharmacist"),
        ("10 paracetamol tds", "RF-TOX-01_check"),
        ("paracetamol 2g qds", "RF-TOX-01_check"),
        ("levothyroxine 100mg daily", "RF-TOX-01_check"),
        ("digoxin 250mg daily", "RF-TOX-01_check"),
        ("20 tablets twice a day", "RF-TOX-01_check"),
        ("every 7 hours", "confirm_with_pharmacist"),
        ("every 20 minutes", "confirm_with_pharmacist"),
    ],
)
def test_unsafe_directions_are_never_scheduled(sig: str, ask: str) -> None:
    understood = understand(sig, NOW)
    assert understood.kind == "unsafe" and not understood.schedules and ask in understood.asks


@pytest.mark.parametrize(
    ("sig", "limits"),
    [
        ("1 tab every 6 hours as needed for pain", ("pain", 6, 4)),
        ("1-2 tabs q4-6h prn pain max 8 tabs/24h", ("pain", 4, 8)),
        ("2 puffs when required, no more than 8 in 24 hours", (None, None, 8)),
        ("one up to four times a day", (None, None, 4)),
    ],
)
def test_as_needed_medicines_have_limits_and_no_reminders(sig: str, limits: tuple) -> None:
    understood = understand(sig, NOW)
    assert understood.kind == "prn" and not understood.schedules and understood.as_needed
    assert (
        understood.as_needed.reason,
        understood.as_needed.min_interval_h,
        understood.as_needed.max_per_day,
    ) == limits


@pytest.mark.parametrize(
    ("sig", "ask"),
    [
        ("1 tab qd", "confirm_not_QID"),
        ("1 tab od", "confirm_OD_once_daily"),
        ("1 tab qod", "confirm_every_other_day"),
        ("1 tab hs", "confirm_bedtime"),
        ("take .5 mg daily", "read_back_dose"),
        ("10U at night", "read_back_dose"),
    ],
)
def test_error_prone_writing_is_always_confirmed(sig: str, ask: str) -> None:
    assert ask in understand(sig, NOW).asks


def test_part_of_today_gone_by_does_not_lose_doses() -> None:
    late = NOW.replace(hour=15)
    assert (
        times("1 cap tds for 7 days", 1, late) == ["Tue 01 20:00"]
        and understand("1 cap tds for 7 days", late).total == 21
    )
    assert times("40mg x5d then 20mg x5d", 1, late) == ["Wed 02 08:00"]
    assert times("every 8 hours", 1, late) == ["Tue 01 16:00"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_it_never_raises_and_never_schedules_noise(text: str) -> None:
    understand(text, NOW)


_WORDS = st.sampled_from(
    (
        "1 2 tablet tablets tab daily twice every day days hours 8 am pm at night morning and then for week until prn "
        "max od bd tds mg 500 monday not except if with food before or to - , / x half one two week off on"
    ).split()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=10))
def test_words_in_any_order_are_consistent(words: list[str]) -> None:
    understood = understand(" ".join(words), NOW)
    assert understood.schedules == bool(understood.phases)
    assert understood.schedules or understood.asks or understood.kind == "prn"
    first = understood.occurrences(20)
    assert first == sorted(first)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 40))
def test_counts_add_up(amount: int, daily: int, days: int) -> None:
    understood = understand(f"take {amount} mg {daily} times a day for {days} days", NOW)
    assert understood.total == daily * days
    assert understood.amount and understood.amount.low == amount


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 9)), min_size=2, max_size=5))
def test_phases_follow_each_other_without_gap_or_overlap(steps: list[tuple[int, int]]) -> None:
    understood = understand(" then ".join(f"{mg} mg daily for {days} days" for mg, days in steps), NOW)
    dates = [at.date() for at in understood.occurrences(1000)]
    assert len(dates) == sum(days for _, days in steps)
    assert all((b - a).days == 1 for a, b in itertools.pairwise(dates))
