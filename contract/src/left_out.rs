//! What is not run on a way, and why. Each case is run on each way, or stands here.

use crate::world::Way;

/// Reasons, each with the cases that it is one for.
type LeftOut = &'static [(&'static str, &'static [&'static str])];

/// The cases that a way leaves out.
#[must_use]
pub fn left_out(way: &Way) -> LeftOut {
    match way {
        Way::Virtual => &[],
        Way::Raw(_) => RAW,
        Way::Kernel(_) => KERNEL,
        Way::Isotpserver => ISOTPSERVER,
    }
}

const RAW: LeftOut = &[(
    "they have a bus of their own, which is told what goes wrong",
    &OWN_BUS,
)];

const KERNEL: LeftOut = &[
    (
        "they have a bus of their own, which is told what goes wrong",
        &OWN_BUS,
    ),
    ("abort is not guaranteed", &ABORT),
    ("back_pressure and timing are not guaranteed", &WAITING),
    ("first_frame is not guaranteed", &BEGINNING),
    ("functional is not guaranteed", &FUNCTIONAL),
    ("it shows no frames, and is set up once", &FRAMES),
    (
        "each connection leaves the bus by itself when it has sent what it has",
        &["a_network_that_closes_sends_what_its_connections_have_for_each_other"],
    ),
];

const ISOTPSERVER: LeftOut = &[
    (
        "they have a bus of their own, which is told what goes wrong",
        &OWN_BUS,
    ),
    ("abort is not guaranteed", &ABORT),
    ("back_pressure and timing are not guaranteed", &WAITING),
    ("first_frame is not guaranteed", &BEGINNING),
    ("functional is not guaranteed", &FUNCTIONAL),
    ("it shows no frames, and is set up once", &FRAMES),
    (
        "what finds no room waits in TCP",
        &["single_frames_that_find_no_room_are_told_as_lost"],
    ),
    (
        "confirmation is not guaranteed: a send does not wait for its turn, and no failure is told",
        &[
            "outcomes_are_those_of_their_messages",
            "a_full_send_queue_refuses_and_gives_the_message_back",
            "a_failed_try_send_is_told",
            "recv_passes_over_what_is_no_message",
            "a_send_dropped_before_its_turn_sends_nothing",
            "the_outcome_of_a_dropped_send_is_not_that_of_the_next",
            "a_sink_has_so_much_room_and_tells_each_failure_once",
        ],
    ),
    (
        "a network has one connection, and its peer is on another",
        &[
            "a_server_outlives_dropped_questions_for_its_end",
            "a_close_dropped_at_any_point_leaves_the_bus",
            "a_network_whose_close_is_dropped_goes_on_closing",
            "halves_work_apart_and_the_last_one_leaves_the_bus",
            "a_handler_answers_every_message_in_order",
            "a_handler_that_panics_ends_its_own_connection_alone",
            "a_dropped_server_leaves_the_bus_though_its_handler_waits",
            "a_server_ends_with_its_network",
            "a_network_that_closes_sends_what_is_queued",
            "a_network_that_closes_sends_what_its_connections_have_for_each_other",
            "a_second_connection_on_an_address_is_refused_until_the_first_is_gone",
        ],
    ),
];

const OWN_BUS: [&str; 8] = [
    "a_connection_hears_from_the_moment_at_which_it_is_there",
    "a_send_is_over_when_its_last_frame_is_on_the_bus",
    "a_bus_that_breaks_ends_every_call_that_waits",
    "a_stopped_runtime_ends_every_call_that_waits",
    "a_panic_in_the_driver_ends_every_call_that_waits",
    "a_panic_at_the_end_keeps_it_from_nobody",
    "a_handler_that_panics_at_the_end_keeps_it_from_nobody",
    "the_last_handle_ends_the_driver",
];
const ABORT: [&str; 4] = [
    "a_dropped_send_ends_its_transfer",
    "a_send_dropped_between_any_two_frames_is_aborted",
    "a_dropped_sink_takes_back_what_waits",
    "a_dropped_connection_leaves_the_bus_at_once",
];
const WAITING: [&str; 5] = [
    "a_full_queue_makes_the_peer_wait_and_then_go_on",
    "a_queue_that_stays_full_fails_the_peer_and_loses_nothing_confirmed",
    "after_n_wftmax_waits_there_is_silence",
    "an_announced_message_keeps_its_place",
    "a_peer_that_only_waits_is_given_up",
];
const BEGINNING: [&str; 5] = [
    "first_frames_and_failures_are_told_in_order",
    "recv_timeout_ends_where_nothing_begins_and_waits_for_what_has_begun",
    "recv_timeout_tells_the_failure_of_what_began",
    "next_event_dropped_at_any_point_loses_no_event",
    "a_closed_server_answers_what_it_has_begun_to_answer",
];
const FUNCTIONAL: [&str; 10] = [
    "a_functional_message_neither_waits_nor_is_waited_for",
    "connections_of_a_network_hear_each_other_and_never_themselves",
    "a_functional_send_dropped_at_any_point_harms_no_other",
    "a_request_dropped_at_any_point_leaves_nothing_behind",
    "a_response_awaited_and_dropped_at_any_point_is_not_lost",
    "hundreds_answer_one_functional_request_with_long_messages",
    "the_window_bounds_the_beginning_and_not_the_end",
    "an_answer_that_fails_says_why",
    "an_open_connection_lends_its_link_to_the_request_and_gets_the_rest",
    "addresses_are_the_requests_while_it_runs",
];
const FRAMES: [&str; 6] = [
    "separation_times_below_a_millisecond_are_kept",
    "another_configuration_holds_for_what_comes_after_it",
    "both_ends_count_the_same",
    "a_connect_into_dropped_at_any_point_leaves_nothing_behind",
    "a_change_dropped_at_any_point_holds_nothing_up",
    "a_tap_read_and_dropped_at_any_point_loses_no_frame",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn what_is_left_out_is_a_case_and_left_out_once() {
        for way in [RAW, KERNEL, ISOTPSERVER] {
            let mut names: Vec<&str> = way.iter().flat_map(|(_, names)| *names).copied().collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
            for name in names {
                assert!(CASES.iter().any(|case| case.name == name), "{name}");
            }
        }
    }
}
