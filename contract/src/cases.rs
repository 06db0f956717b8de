//! The list of the cases.

use crate::under::{Body, Under};
use crate::world::{Way, World};
use crate::{
    bridge, dropping, dropping_handles, ending, functional, guarantees, guests, panics, queues,
    receiving, resources, sending, serving, streams,
};

/// A test that runs anywhere.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    body: fn(World) -> Body,
}

impl Case {
    /// Runs it, under a runtime and on a way.
    ///
    /// # Panics
    /// When it fails, or takes longer than anything in it may.
    pub fn run<U: Under>(&self, way: Way) {
        let world = World::new::<U>(way);
        U::block_on(Box::pin(world.run(self.body)));
    }

    /// The case of this name.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let case = CASES.iter().find(|case| case.name == name);
        *case.unwrap_or_else(|| panic!("there is no case {name}"))
    }
}

/// Calls another macro with the list of all cases, by module.
#[doc(hidden)]
#[macro_export]
macro_rules! with_cases {
    ($then:ident $($argument:tt)*) => {
        $crate::$then! {
            $($argument)*
            guarantees:
                guarantees_are_those_of_the_documents
                confirmation_is_as_told
                back_pressure_is_as_told
                abort_is_as_told
                timing_is_as_told
                functional_is_as_told
                first_frame_is_as_told
                address_is_as_told
                the_configuration_is_as_told
                what_only_frames_allow_is_refused_elsewhere;
            sending:
                outcomes_are_those_of_their_messages
                a_send_is_over_when_its_last_frame_is_on_the_bus
                messages_leave_in_the_order_in_which_they_were_sent
                sends_leave_in_the_order_of_their_first_poll
                both_directions_go_at_once
                a_reception_goes_on_while_a_message_is_sent
                separation_times_below_a_millisecond_are_kept
                a_full_send_queue_refuses_and_gives_the_message_back
                a_failed_try_send_is_told
                a_functional_message_neither_waits_nor_is_waited_for
                another_configuration_holds_for_what_comes_after_it
                both_ends_count_the_same
                connections_of_a_network_hear_each_other_and_never_themselves
                a_dropped_send_ends_its_transfer;
            receiving:
                messages_keep_their_borders
                a_connection_hears_from_the_moment_at_which_it_is_there
                flow_control_is_answered_though_nobody_reads
                first_frames_and_failures_are_told_in_order
                recv_passes_over_what_is_no_message
                recv_timeout_ends_where_nothing_begins_and_waits_for_what_has_begun
                recv_timeout_tells_the_failure_of_what_began;
            queues:
                a_full_queue_makes_the_peer_wait_and_then_go_on
                a_queue_that_stays_full_fails_the_peer_and_loses_nothing_confirmed
                after_n_wftmax_waits_there_is_silence
                single_frames_that_find_no_room_are_told_as_lost
                an_announced_message_keeps_its_place
                a_peer_that_only_waits_is_given_up;
            dropping:
                a_send_dropped_at_any_point_harms_no_other
                a_send_dropped_before_its_turn_sends_nothing
                a_send_dropped_between_any_two_frames_is_aborted
                a_functional_send_dropped_at_any_point_harms_no_other
                a_reception_dropped_at_any_point_loses_nothing
                next_event_dropped_at_any_point_loses_no_event
                a_recv_dropped_between_any_two_frames_loses_nothing
                of_two_that_receive_the_other_gets_the_message
                bytes_read_at_any_point_are_not_lost
                a_sink_whose_futures_are_dropped_at_any_point_loses_nothing
                a_dropped_sink_takes_back_what_waits
                a_tap_read_and_dropped_at_any_point_loses_no_frame
                the_outcome_of_a_dropped_send_is_not_that_of_the_next;
            dropping_handles:
                a_connect_dropped_at_any_point_leaves_nothing_behind
                a_connect_into_dropped_at_any_point_leaves_nothing_behind
                a_serve_dropped_at_any_point_leaves_nothing_behind
                a_server_outlives_dropped_questions_for_its_end
                a_close_dropped_at_any_point_leaves_the_bus
                a_network_whose_close_is_dropped_goes_on_closing
                a_change_dropped_at_any_point_holds_nothing_up
                a_request_dropped_at_any_point_leaves_nothing_behind
                a_response_awaited_and_dropped_at_any_point_is_not_lost;
            streams:
                a_connection_is_a_stream_that_ends_and_a_sink_that_confirms
                a_sink_has_so_much_room_and_tells_each_failure_once
                a_closed_sink_has_sent_everything
                halves_work_apart_and_the_last_one_leaves_the_bus
                bytes_are_written_as_messages_and_read_as_they_come;
            serving:
                a_handler_answers_every_message_in_order
                a_handler_that_panics_ends_its_own_connection_alone
                a_dropped_server_leaves_the_bus_though_its_handler_waits
                a_closed_server_answers_what_it_has_begun_to_answer
                a_server_ends_with_its_network;
            functional:
                hundreds_answer_one_functional_request_with_long_messages
                the_window_bounds_the_beginning_and_not_the_end
                an_answer_that_fails_says_why
                an_open_connection_lends_its_link_to_the_request_and_gets_the_rest
                addresses_are_the_requests_while_it_runs;
            ending:
                close_sends_what_is_queued
                a_network_that_closes_sends_what_is_queued
                a_network_that_closes_sends_what_its_connections_have_for_each_other
                a_closed_network_ends_every_call_that_waits
                a_bus_that_breaks_ends_every_call_that_waits
                a_stopped_runtime_ends_every_call_that_waits
                handles_are_dropped_in_any_order
                the_last_handle_ends_the_driver
                a_second_connection_on_an_address_is_refused_until_the_first_is_gone
                a_dropped_connection_leaves_the_bus_at_once;
            panics:
                a_panic_in_the_driver_ends_every_call_that_waits
                a_panic_at_the_end_keeps_it_from_nobody
                a_handler_that_panics_at_the_end_keeps_it_from_nobody
                a_waker_that_panics_harms_no_other;
            resources:
                an_idle_network_burns_no_processor_time
                networks_that_are_gone_leave_nothing_open;
        }
    };
}

/// The table of them.
#[doc(hidden)]
#[macro_export]
macro_rules! table_of_cases {
    ($($module:ident: $($case:ident)*;)*) => {
        /// All of them.
        pub const CASES: &[Case] = &[
            $($(Case {
                name: stringify!($case),
                body: |world| Box::pin($module::$case(world)),
            },)*)*
        ];
    };
}

with_cases! { table_of_cases }

/// One by its path.
macro_rules! bridge_case {
    ($module:ident::$case:ident) => {
        Case {
            name: stringify!($case),
            body: |world| Box::pin($module::$case(world)),
        }
    };
}

/// Those that there are for isotpserver alone.
pub const BRIDGE_CASES: &[Case] = &[
    bridge_case!(bridge::a_send_dropped_when_a_part_of_it_is_written_harms_no_other),
    bridge_case!(bridge::an_open_dropped_at_any_point_leaves_nothing_open),
    bridge_case!(bridge::with_reconnect_the_next_server_is_taken_and_the_loss_is_told),
    bridge_case!(bridge::a_server_that_is_gone_is_found_out_though_nobody_reads),
    bridge_case!(bridge::a_connection_that_closes_reads_what_its_server_has_to_write),
    bridge_case!(guests::a_client_that_closes_has_sent_everything),
    bridge_case!(guests::a_client_that_goes_at_once_has_sent_everything),
    bridge_case!(guests::clients_get_what_was_received_before_the_end),
    bridge_case!(guests::a_client_that_speaks_while_the_network_closes_gets_everything),
    bridge_case!(guests::a_client_that_reads_gets_every_message_of_a_burst),
    bridge_case!(guests::a_client_of_a_connection_that_only_listens_stays),
    bridge_case!(guests::clients_get_what_came_before_the_failure_that_closes_them),
    bridge_case!(guests::a_message_keeps_the_place_of_a_client_that_has_gone),
    bridge_case!(guests::a_failed_message_closes_its_client_where_that_is_wanted),
    bridge_case!(guests::a_failed_reception_closes_all_clients_where_that_is_wanted),
    bridge_case!(guests::a_message_too_long_for_clients_is_refused_on_the_bus),
];
