"""Rule sets: windows, fields, exceptions, spans, versions."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rule_engine import RuleSet, ScannedTurn, Span, explain_listing, explain_message
from streams.rule_engine.match_tree import Covered
from streams.rule_engine.rule import Condition, Count, Match, Near, Window
from tests.unit.rule_engine.making import listing_rule, message_rule, offer, say


def test_a_hit_carries_the_rule_and_the_original_place() -> None:
    rule = message_rule(Match(any=("LINE",)), severity="high", score=70, mode="shadow")
    rules = RuleSet([rule])
    hit = say(rules, "よかったらＬＩ\u200bＮＥで")[0]
    assert (hit.rule_id, hit.domain, hit.severity, hit.score, hit.mode) == (
        "test.rule",
        "contact_exchange",
        "high",
        70,
        "shadow",
    )
    assert hit.rule_version == rule.version()
    assert hit.spans == (Span("m0", "text", 5, 10),)


def test_rules_that_are_off_never_fire() -> None:
    assert say(RuleSet([message_rule(Match(any=("LINE",)), mode="off")]), "LINE") == []


def test_message_rules_do_not_fire_on_listings() -> None:
    rules = RuleSet([message_rule(Match(any=("LINE",)))])
    assert offer(rules, "LINE") == []


def test_no_rules_and_no_turns() -> None:
    rules = RuleSet([])
    assert say(rules, "LINE") == []
    assert rules.evaluate_message([], {}, at_us=0) == []


def test_most_urgent_first() -> None:
    rules = RuleSet(
        [message_rule(Match(any=("LINE",)), id=f"r{score}", score=score) for score in (10, 90, 50)]
    )
    assert [hit.score for hit in say(rules, "LINE")] == [90, 50, 10]


class TestWindow:
    def test_by_default_only_the_event_counts(self) -> None:
        rules = RuleSet([message_rule(Match(any=("LINE",)))])
        assert say(rules, "LINE", "ok") == []
        assert say(rules, "ok", "LINE") != []

    def test_any_message_of_the_window_by_the_same_writer(self) -> None:
        rules = RuleSet([message_rule(Match(any=("LINE",)), window=Window(messages=3, scope="any"))])
        hit = say(rules, ("seller", "LINE"), ("buyer", "LINE"), ("seller", "ok"))[0]
        assert [span.message_id for span in hit.spans] == ["m0"]
        assert say(rules, ("buyer", "LINE"), ("seller", "ok")) == []
        assert say(rules, "LINE", "a", "b", "c") == [], "the first message is outside a window of three"

    def test_any_writer(self) -> None:
        window = Window(messages=5, scope="any", same_writer=False)
        rules = RuleSet([message_rule(Match(any=("LINE",)), window=window)])
        assert [s.message_id for s in say(rules, ("buyer", "LINE"), ("seller", "line"))[0].spans] == [
            "m0",
            "m1",
        ]

    def test_words_of_different_messages_are_not_joined(self) -> None:
        match = Match(all=("LINE", "交換"))
        rules = RuleSet([message_rule(match, window=Window(messages=5, scope="any"))])
        assert say(rules, "LINE", "交換") == []

    def test_the_same_text_twice_is_two_places(self) -> None:
        rules = RuleSet([message_rule(Match(any=("LINE",)), window=Window(messages=5, scope="any"))])
        scan = rules.scan("LINE")
        turns = [ScannedTurn(name, "buyer", scan) for name in ("a", "b")]
        assert [s.message_id for s in rules.evaluate_message(turns, {}, at_us=0)[0].spans] == ["a", "b"]


class TestListing:
    def test_fields_are_read_together(self) -> None:
        rules = RuleSet([listing_rule(Match(all=("シャネル", "コピー")))])
        hit = offer(rules, "シャネル", "コピー品")[0]
        assert hit.spans == (Span(None, "title", 0, 4), Span(None, "description", 0, 3))

    def test_but_not_as_one_text(self) -> None:
        near = Match(near=Near(("シャネル",), ("コピー",), 5))
        assert offer(RuleSet([listing_rule(near)]), "シャネル", "コピー品") == []

    def test_a_rule_may_ask_for_some_fields_and_a_node_for_one(self) -> None:
        by_rule = RuleSet([listing_rule(Match(any=("コピー",)), fields=("title",))])
        by_node = RuleSet([listing_rule(Match(any=("コピー",), field="title"))])
        for rules in (by_rule, by_node):
            assert offer(rules, "コピー品") != []
            assert offer(rules, "財布", "コピー品") == []

    def test_a_veto_may_stand_in_another_field(self) -> None:
        rules = RuleSet([listing_rule(Match(any=("スタンガン",), none=("おもちゃ",)))])
        assert offer(rules, "スタンガン", "本物です") != []
        assert offer(rules, "スタンガン", "おもちゃです") == []


class TestMatch:
    @pytest.mark.parametrize(
        ("text", "fires"),
        [
            ("LINEを交換", True),  # 1 between
            ("交換LINE", True),
            ("LINEを1234交換", True),  # 5 between
            ("LINEを12345交換", False),
            ("LINEだけ", False),
        ],
    )
    def test_near(self, text: str, fires: bool) -> None:
        rules = RuleSet([message_rule(Match(near=Near(("LINE",), ("交換",), 5)))])
        assert bool(say(rules, text)) is fires

    def test_near_looks_at_every_pair(self) -> None:
        rules = RuleSet([message_rule(Match(near=Near(("LINE",), ("交換",), 3)))])
        hit = say(rules, "LINE" + "あ" * 50 + "LINE交換" + "い" * 50 + "交換")[0]
        assert [(span.start, span.end) for span in hit.spans] == [(54, 58), (58, 60)]

    def test_near_with_words_one_inside_the_other(self) -> None:
        """A long word that began earlier may still end before; order by start is not order by end."""
        rules = RuleSet([message_rule(Match(near=Near(("x",), ("abcde", "b"), 2)))])
        assert say(rules, "abcde-x")

    def test_count(self) -> None:
        def with_count(count: Count) -> RuleSet:
            return RuleSet([message_rule(Match(count=count))])

        words = ("嘘つき", "泥棒")
        assert say(with_count(Count(words, 2)), "嘘つき！嘘つき！") == []
        assert say(with_count(Count(words, 2)), "嘘つき！泥棒！") != []
        assert say(with_count(Count(words, 2, distinct=False)), "嘘つき！嘘つき！") != []

    def test_boundary_in_both_views(self) -> None:
        for view in ("safe", "fold"):
            rules = RuleSet([message_rule(Match(any=("ライン",), view=view, boundary="auto"))])
            assert say(rules, "ﾗｲﾝで") != []
            assert say(rules, "ラインストーン") == []
            assert say(rules, "ラインストーンとライン")[0].spans == (Span("m0", "text", 8, 11),)

    def test_a_veto_inside_all_concerns_that_item_only(self) -> None:
        match = Match(all=(Match(any=("LINE",), none=("ストーン",)), "交換"))
        rules = RuleSet([message_rule(match)])
        assert say(rules, "LINE交換") != []
        assert say(rules, "LINE交換ストーン") == []


class TestExceptions:
    def test_a_hit_inside_a_phrase_does_not_count(self) -> None:
        rules = RuleSet([message_rule(Match(any=("コピー品",)), except_phrases=("コピー品ではありません",))])
        assert say(rules, "コピー品ではありません") == []
        assert say(rules, "コピー品ではありません。コピー品です")[0].spans == (Span("m0", "text", 12, 16),)

    def test_in_the_fold_view_and_for_patterns(self) -> None:
        folded = RuleSet([message_rule(Match(any=("ライン",), view="fold"), except_phrases=("ライン引き",))])
        assert say(folded, "らいん引き") == []
        pattern = RuleSet([message_rule(Match(regex="口座[0-9]"), except_phrases=("口座1番",))])
        assert say(pattern, "口座１番") == []
        assert say(pattern, "口座１番と口座２")[0].spans == (Span("m0", "text", 5, 8),)

    def test_before_the_words_are_joined(self) -> None:
        rules = RuleSet([message_rule(Match(all=("手数料", "振込")), except_phrases=("手数料無料",))])
        assert say(rules, "手数料無料の振込") == []
        assert say(rules, "手数料無料、手数料、振込") != []


class TestConditions:
    def test_metadata_and_times(self) -> None:
        rule = listing_rule(
            Match(any=("マスク",)),
            when={"price": Condition(gte=1500), "attributes.size": Condition(one_of=("L", "M"))},
            valid_from_us=100,
            valid_until_us=200,
        )
        rules = RuleSet([rule])
        good = {"price": 1500.0, "attributes.size": "M"}
        assert offer(rules, "マスク", at_us=100, **good) != []
        assert offer(rules, "マスク", at_us=199, **good) != []
        assert offer(rules, "マスク", at_us=99, **good) == []
        assert offer(rules, "マスク", at_us=200, **good) == []
        assert offer(rules, "マスク", at_us=100, price=1499.0, **{"attributes.size": "M"}) == []
        assert offer(rules, "マスク", at_us=100, price=1500.0) == []

    def test_explanations_name_what_was_missing(self) -> None:
        rule = message_rule(
            Match(any=("LINE",)), when={"status": Condition(one_of=("shipped",))}, valid_until_us=5
        )
        rules = RuleSet([rule])
        turn = ScannedTurn("m", "buyer", rules.scan("LINE"))
        assert [seen.unmet for seen in explain_message(rules, [turn], {}, at_us=9)] == [
            ("status", "valid_until")
        ]
        assert rules.evaluate_message([turn], {"status": "shipped"}, at_us=9) == []
        listing = RuleSet([listing_rule(Match(any=("LINE",)), when={"price": Condition(lt=5)})])
        fields = {"title": listing.scan("LINE")}
        assert [seen.unmet for seen in explain_listing(listing, fields, {"price": 7.0}, at_us=0)] == [
            ("price",)
        ]


class TestVersions:
    def test_any_change_of_a_rule_changes_both_versions(self) -> None:
        rule = message_rule(Match(any=("LINE",)))
        for change in (
            {"score": 51},
            {"mode": "off"},
            {"description": "x"},
            {"tags": ("a",)},
            {"valid_from_us": 1},
        ):
            changed = msgspec.structs.replace(rule, **change)
            assert changed.version() != rule.version()
            assert RuleSet([changed]).version != RuleSet([rule]).version

    def test_conditions_in_another_order_are_the_same_rule(self) -> None:
        one, other = Condition(one_of=("a",)), Condition(gt=1)
        match = Match(any=("x",))
        first = listing_rule(match, when={"brand": one, "price": other})
        assert first.version() == listing_rule(match, when={"price": other, "brand": one}).version()

    def test_a_scan_of_another_set_is_made_again(self) -> None:
        old = RuleSet([message_rule(Match(any=("あ",)), id="old")])
        new = RuleSet(
            [message_rule(Match(any=("い",)), id="new"), listing_rule(Match(any=("い",)), id="lis")]
        )
        turn = ScannedTurn("m", "buyer", old.scan("い"))
        assert turn.scan.version == old.version != new.version
        assert [hit.rule_id for hit in new.evaluate_message([turn], {}, at_us=0)] == ["new"]
        assert [hit.rule_id for hit in new.evaluate_listing({"title": turn.scan}, {}, at_us=0)] == ["lis"]


def test_places_inside_others_are_not_shown() -> None:
    rules = RuleSet([message_rule(Match(any=("銀行振込", "振込", "込")))])
    assert say(rules, "銀行振込と振込")[0].spans == (Span("m0", "text", 0, 4), Span("m0", "text", 5, 7))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=6),
    st.integers(0, 20),
    st.integers(1, 8),
)
def test_a_place_is_covered_by_one_stretch_around_it(
    lengths: list[tuple[int, int]], start: int, length: int
) -> None:
    stretches = [(first, first + size) for first, size in lengths]
    expected = any(first <= start and start + length <= last for first, last in stretches)
    assert ((start, start + length) in Covered(stretches)) is expected


class TestWindowReadTogether:
    _RULE = message_rule(Match(all=("あいう", "かきく")), window=Window(messages=3, scope="together"))

    def test_items_may_stand_in_different_messages(self) -> None:
        hit = say(RuleSet([self._RULE]), "あいう", "x", "かきく")[0]
        assert hit.spans == (Span("m0", "text", 0, 3), Span("m2", "text", 0, 3))

    def test_only_of_the_same_writer_and_within_the_window(self) -> None:
        rules = RuleSet([self._RULE])
        assert say(rules, ("seller", "あいう"), ("buyer", "かきく")) == []
        assert say(rules, "あいう", "x", "x", "かきく") == []
        both = RuleSet([message_rule(self._RULE.match, window=Window(3, "together", same_writer=False))])
        assert say(both, ("seller", "あいう"), ("buyer", "かきく")) != []


class TestExceptedWriters:
    def test_messages_by_sender(self) -> None:
        rules = RuleSet([message_rule(Match(any=("LINE",)), except_writers=("u1", "u2"))])
        assert say(rules, "LINE", sender_id="u1") == []
        assert say(rules, "LINE", sender_id="u3") != []
        assert say(rules, "LINE") != [], "who wrote it is not known"
        turn = ScannedTurn("m", "buyer", rules.scan("LINE"))
        assert explain_message(rules, [turn], {"sender_id": "u1"}, at_us=0)[0].missing == "except.writers"

    def test_listings_by_seller(self) -> None:
        rules = RuleSet([listing_rule(Match(any=("LINE",)), except_writers=("s1",))])
        assert offer(rules, "LINE", seller_id="s1") == []
        assert offer(rules, "LINE", seller_id="s2") != []


def test_spans_of_every_view_are_places_of_the_original() -> None:
    rules = RuleSet(
        [
            message_rule(Match(any=("らいん交換",), view="squeeze"), id="squeeze"),
            message_rule(Match(regex="090[0-9]{8}", view="digits"), id="digits"),
            message_rule(Match(any=("らいん交換",), view="fold"), id="fold"),
        ]
    )
    text = "ﾗ・ｲ・ンンン 交…換 ゼロ九〇の１２３４の５６７８"
    spans = {hit.rule_id: [text[span.start : span.end] for span in hit.spans] for hit in say(rules, text)}
    assert spans == {"squeeze": ["ﾗ・ｲ・ンンン 交…換"], "digits": ["ゼロ九〇の１２３４の５６７８"]}


def test_a_megabyte_of_text_is_bounded() -> None:
    """10,000 characters are read, so the work is that of 10,000 characters."""
    rules = RuleSet(
        [
            message_rule(Match(any=("ンララ",), view=view, boundary="token"), id=view)
            for view in ("safe", "fold", "squeeze", "digits")
        ]
    )
    scan = rules.scan("ラインラ" * 250_000)
    assert scan.truncated
    assert max(end for places in scan.hits.values() for _, end in places) <= 10_000
