//! Faults of PBXs, networks and the exporter's own machine: what each costs, how soon it is noticed,
//! what is logged.  docs/reliability.md has a line of each, which is compared with what happened;
//! `UPDATE_EXPECTED=1 cargo test --test integration faults::` writes them.
//!
//! Most are played in simulated time over real sockets, and those that last for twenty minutes; what
//! needs a process, as memory or signals do, by the built program.

mod calls;
mod connect;
mod endpoints;
mod exporter;
mod log;
mod login;
mod process;
mod row;
mod session;
mod stage;

use stage::simulated;

/// A test for each fault, and their names in the order of the documentation.
macro_rules! faults {
    ($($how:ident $group:ident { $($fault:ident),+ $(,)? })+) => {
        $($(
            #[test]
            fn $fault() {
                faults!(@$how $group::$fault).check(stringify!($fault));
            }
        )+)+

        const ALL: &[&str] = &[$($(stringify!($fault)),+),+];
    };
    (@simulated $fault:path) => { simulated(async || $fault().await) };
    (@real $fault:path) => { $fault() };
}

faults! {
    simulated connect {
        nothing_listens, name_without_address, connection_black_hole, no_greeting,
        greeting_byte_by_byte, closed_before_the_greeting, reset_before_the_greeting,
        another_protocol, http_server, binary_noise, noise_that_differs, greeting_without_end,
        asterisk_11, plain_on_a_port_of_tls, tls_on_a_plain_port, certificate_of_another_ca,
        handshake_black_hole,
    }
    simulated login {
        challenge_black_hole, challenge_refused, closed_in_the_login, login_black_hole, wrong_secret,
        answers_to_others, version_black_hole, closed_after_the_login, closed_before_the_lists,
        list_of_channels_black_hole, list_of_queues_black_hole, closed_in_a_list,
        black_hole_in_a_list, list_without_end, list_skipped, list_with_another_id,
        list_that_never_comes_to_its_end, barrier_black_hole, restart_in_the_login,
        list_of_channels_refused, list_of_queues_refused, list_answered_twice, lists_out_of_order,
        items_with_another_id, events_in_the_login,
    }
    simulated session {
        session_black_hole, black_hole_in_a_frame, events_without_answers, dribble, closed, reset,
        closed_in_a_frame, stopped, restarted, gap_that_hides_nothing, noise_between_events,
        second_greeting, long_line, long_frame, event_without_what_it_needs, foreign_answers,
        events_twice, events_in_another_order, unknown_events, clock_of_the_pbx_ahead,
        clock_of_the_pbx_back, list_refused_in_mid_session, list_without_end_in_mid_session,
        list_unanswered_in_mid_session,
    }
    simulated endpoints {
        endpoint_lists_refused, endpoint_list_without_end, endpoint_list_that_hangs,
        gap_hides_what_is_registered,
    }
    simulated exporter {
        secret_changes, secret_file_is_gone, secret_file_hangs, task_panics,
        shutdown_of_a_hanging_pbx,
    }
    real process {
        exporter_is_stopped_and_continued, exporter_is_killed, descriptors_exhausted,
        no_descriptor_to_reconnect, line_of_100_mb, noisy_neighbour, scraper_that_hangs,
        log_on_a_full_disk, broken_configuration, recording_on_a_full_disk,
    }
}

#[test]
fn each_fault_has_a_line_in_the_documentation() {
    assert_eq!(row::documented(), ALL);
}
