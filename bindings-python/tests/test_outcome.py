"""The outcome as a value: it is its name, knows more, and raises only when asked to."""

import copy
import pickle

import pytest

import leveret
from leveret import Outcome, OutcomeStatus


def test_it_is_the_name_of_its_status():
    outcome = Outcome("acknowledged", reason=0)
    assert outcome == "acknowledged"
    assert outcome == OutcomeStatus.ACKNOWLEDGED
    assert outcome.status is OutcomeStatus.ACKNOWLEDGED
    assert str(outcome) == f"{outcome}" == "acknowledged"
    counts: dict[str, int] = {outcome: 1}
    assert counts["acknowledged"] == 1


def test_only_the_names_of_the_table_are_outcomes():
    with pytest.raises(ValueError):
        Outcome("delivered")


@pytest.mark.parametrize("status", list(OutcomeStatus))
def test_ok_and_delivered_are_those_of_the_table(status):
    outcome = Outcome(status)
    assert outcome.ok == (status in ("acknowledged", "sent"))
    assert outcome.delivered == (status == "acknowledged")


def test_its_repr_tells_all():
    assert repr(Outcome("sent", True)) == "Outcome('sent', maybe_delivered=True)"
    refused = Outcome("rejected", reason=0x87, reason_string="no")
    assert repr(refused) == "Outcome('rejected', reason=0x87, reason_string='no')"


@pytest.mark.parametrize("status", ["acknowledged", "sent"])
def test_what_is_ok_raises_nothing(status):
    outcome = Outcome(status)
    assert outcome.raise_for_status() is outcome


def test_what_is_not_ok_raises_a_sentence():
    outcome = Outcome("rejected", reason=0x87, reason_string='not "yours"')
    with pytest.raises(leveret.NotDelivered) as raised:
        outcome.raise_for_status()
    assert raised.value.outcome is outcome
    assert raised.value.reason == leveret.ReasonCode.NOT_AUTHORIZED
    assert raised.value.code == "MQTT_NOT_DELIVERED"
    assert "rejected" in str(raised.value)
    assert '"not \\"yours\\""' in str(raised.value)


def test_a_letter_that_may_have_arrived_says_so():
    with pytest.raises(leveret.NotDelivered, match="so the broker may have it"):
        Outcome("expired", True).raise_for_status()
    with pytest.raises(leveret.NotDelivered) as raised:
        Outcome("expired").raise_for_status()
    assert str(raised.value) == "the letter was not delivered: expired"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_copy_is_the_same(duplicate):
    outcome = Outcome("rejected", True, 0x97, "quota", [("a", "b")])
    again = duplicate(outcome)
    assert type(again) is Outcome
    assert again == outcome
    assert repr(again) == repr(outcome)
    assert again.user_properties == (("a", "b"),)
