//! The simulation in short: some seeds, the same trace twice, and the proof that the checkers notice damage.

use leveret_tests::sim::mutation::Mutation;
use leveret_tests::sim::plan::Plan;
use leveret_tests::sim::shrink::shrink;
use leveret_tests::sim::tally::Tally;
use leveret_tests::sim::world::run;

/// Seeds that are run as they are; `make simulate` runs thousands.
const SEEDS: std::ops::Range<u64> = 0..60;
/// Seeds among which each damage has to be noticed.
const DAMAGED: std::ops::Range<u64> = 0..400;

#[test]
fn seeds_run_through() {
    for seed in SEEDS {
        if let Some(broken) = run(&Plan::of_seed(seed), None, false).broken {
            panic!("seed {seed}, step {}: {}", broken.step, broken.failure);
        }
    }
}

#[test]
fn a_seed_gives_the_same_trace_every_time() {
    for seed in 0..10 {
        let plan = Plan::of_seed(seed);
        assert_eq!(
            run(&plan, None, false).trace,
            run(&plan, None, true).trace,
            "seed {seed}"
        );
    }
}

#[test]
fn a_log_is_kept_only_if_asked_for() {
    assert!(run(&Plan::of_seed(1), None, false).log.is_empty());
    assert!(!run(&Plan::of_seed(1), None, true).log.is_empty());
}

#[test]
fn nothing_has_happened_before_the_first_seed() {
    let never = Tally::default().never();
    for name in [
        "state: Online",
        "operation: publish",
        "operation: fault: kicked",
        "misbehaviour: Garbage",
    ] {
        assert!(
            never.iter().any(|other| other == name),
            "{name} in {never:?}"
        );
    }
}

#[test]
fn a_damaged_plan_shrinks_to_what_matters() {
    let damage = Some(Mutation::ChangeQos);
    let broken = DAMAGED.map(Plan::calm).find_map(|plan| {
        let broken = run(&plan, damage, false).broken?;
        let long = plan.steps.len() > 20 && broken.failure.checker == "letter_is_as_posted";
        long.then_some((plan, broken))
    });
    let (plan, broken) = broken.expect("a long plan that fails");
    let (small, how) = shrink(&plan, &broken, damage, 1_000_000);
    assert!(small.steps.len() < 5, "{} steps", small.steps.len());
    assert_eq!(how.failure.checker, broken.failure.checker);
    let again = run(&small, damage, false)
        .broken
        .map(|broken| broken.failure);
    assert_eq!(again, Some(how.failure));
    let options =
        |plan: &Plan| -> usize { plan.clients.iter().map(|client| client.options.len()).sum() };
    assert!(
        options(&small) < options(&plan),
        "options that do not matter are gone"
    );
}

/// Runs seeds with the damage until a checker notices it; fails if none does, or one that was not meant.
fn noticed(mutation: Mutation, checkers: &[&str]) {
    let mut others = Vec::new();
    for seed in DAMAGED {
        let Some(broken) = run(&Plan::calm(seed), Some(mutation), false).broken else {
            continue;
        };
        if checkers.contains(&broken.failure.checker) {
            return;
        }
        others.push(broken.failure);
    }
    panic!("{mutation:?} is not noticed by {checkers:?}, but by {others:?}");
}

macro_rules! damage {
    ($($name:ident: $mutation:ident => $($checker:literal)+;)+) => {
        $(#[test]
        fn $name() {
            noticed(Mutation::$mutation, &[$($checker),+]);
        })+
    };
}

damage! {
    an_outcome_told_twice_is_noticed: SettleTwice => "settled_exactly_once";
    an_outcome_never_told_is_noticed: SettleNever => "drains_in_bounded_time" "every_letter_is_settled" "closes_in_bounded_time" "nothing_is_overdue" "flush_means_settled" "explain_knows_the_living";
    a_lie_about_maybe_delivered_is_noticed: TurnMaybeDelivered => "maybe_delivered_tells_the_truth";
    an_expired_letter_told_as_dropped_is_noticed: ExpiredAsDropped => "dropped_only_if_never_sent";
    a_budget_that_leaks_is_noticed: KeepBudget => "cost_comes_back_whole";
    a_false_acknowledgement_is_noticed: AcknowledgeTooMuch => "acknowledged_means_the_broker_has_it";
    a_late_wake_up_is_noticed: TickLate => "nothing_is_overdue" "expired_at_its_time_to_live" "keep_alive_is_kept" "connect_timeout_is_kept" "missing_pong_ends_the_link";
    a_message_handed_over_twice_is_noticed: DeliverTwice => "delivered_at_most_once";
    a_message_that_gets_lost_is_noticed: DeliverNever => "messages_have_arrived" "drains_in_bounded_time";
    a_missing_dup_is_noticed: ClearDup => "dup_is_right";
    a_wrong_dup_is_noticed: SetDup => "dup_is_right";
    a_packet_id_used_twice_is_noticed: ReusePacketId => "packet_id_is_free" "packet_id_is_kept";
    letters_out_of_order_are_noticed: SwapFrames => "first_posted_first_sent" "sent_again_in_the_old_order";
    a_letter_sent_twice_is_noticed: RepeatFrame => "letter_is_begun_once_per_connection";
    a_missing_puback_is_noticed: DropPuback => "drains_in_bounded_time" "client_keeps_the_standard";
    a_missing_ping_is_noticed: DropPing => "keep_alive_is_kept";
    an_answer_told_twice_is_noticed: ReplyTwice => "questions_are_answered_once";
    a_changed_payload_is_noticed: ChangePayload => "letters_arrive_intact";
    a_changed_qos_is_noticed: ChangeQos => "letter_is_as_posted";
    a_missing_subscribe_is_noticed: DropSubscribe => "subscriptions_are_restored" "drains_in_bounded_time";
    a_status_told_twice_is_noticed: StatusTwice => "statuses_change";
    a_forgotten_priority_is_noticed: ForgetPriority => "higher_priority_goes_first";
    a_subscribe_behind_letters_is_noticed: SubscribeLast => "subscribe_goes_first";
    a_backoff_too_short_is_noticed: ShortBackoff => "backoff_is_not_too_short";
    a_backoff_too_long_is_noticed: LongBackoff => "backoff_is_not_too_long";
    a_missing_goodbye_is_noticed: DropGoodbye => "reconnect_says_goodbye";
    a_goodbye_that_keeps_the_will_is_noticed: AddGoodbye => "missing_pong_leaves_the_will";
    a_window_too_wide_is_noticed: WidenWindow => "window_is_kept";
    words_of_hooks_waited_for_too_shortly_are_noticed: ShortPatience => "answers_wait_for_hooks" "answers_carry_their_words";
    lost_words_of_hooks_are_noticed: ForgetWords => "answers_carry_their_words";
    a_login_that_nobody_said_is_noticed: OtherLogin => "connect_says_what_was_answered";
    a_proof_that_nobody_gave_is_noticed: WrongProof => "client_keeps_the_standard";
    a_breach_overlooked_is_noticed: OverlookBreach => "breach_ends_the_connection";
    another_reason_for_a_breach_is_noticed: OtherReason => "breach_is_told_to_the_broker";
    a_pubrec_that_the_engine_missed_is_noticed: MissPubrec => "no_publish_after_pubrec";
    a_letter_passed_on_twice_is_noticed: PassOnTwice => "exactly_once_is_never_doubled";
    a_post_office_too_wide_is_noticed: WidenBudget => "bounds_are_kept";
    a_changed_message_is_noticed: ChangeMessage => "message_is_intact";
    a_missing_token_is_noticed: LoseToken => "token_where_an_ack_is_due";
    another_subscription_is_noticed: OtherSubscription => "subscription_ids_are_kept";
    a_close_told_too_soon_is_noticed: CloseTooSoon => "nothing_after_closed";
    a_letter_not_explained_is_noticed: LoseExplanation => "explain_knows_the_living";
    a_lie_about_cancelling_is_noticed: TurnCancel => "cancel_tells_the_truth";
    an_expiry_too_long_is_noticed: LongExpiry => "expiry_is_what_is_left";
    too_much_patience_with_connack_is_noticed: PatientConnect => "connect_timeout_is_kept";
    too_much_patience_with_pingresp_is_noticed: PatientPing => "missing_pong_ends_the_link";
    a_will_that_nobody_wanted_is_noticed: AskForWill => "goodbye_says_why";
    an_agreement_that_nobody_gave_is_noticed: AgreeTooSoon => "nothing_before_the_last_step";
}
