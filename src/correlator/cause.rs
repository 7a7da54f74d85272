//! Hangup causes: the Q.850 numbers Asterisk knows, with the names its `Cause-txt` prints.

/// A hangup cause as the `Cause` header gives it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cause(pub u16);

impl Cause {
    /// How many have a name.
    pub const COUNT: usize = TABLE.len();

    /// All that have a name.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|&(number, _)| Self(number))
    }

    /// The cause's name in snake_case, `None` if Asterisk has no such cause.
    pub fn text(self) -> Option<&'static str> {
        TABLE.binary_search_by_key(&self.0, |entry| entry.0).ok().map(|at| TABLE[at].1)
    }

    /// Causes that mean no more than "over": the dial status decides what happened.
    pub const fn is_plain(self) -> bool {
        matches!(self.0, 0 | 16 | 26 | 31 | 127)
    }
}

/// `main/channel.c`'s table, the same from 11 to 23, sorted by number.
const TABLE: &[(u16, &str)] = &[
    (0, "unknown"),
    (1, "unallocated_unassigned_number"),
    (2, "no_route_to_specified_transmit_network"),
    (3, "no_route_to_destination"),
    (5, "misdialed_trunk_prefix"),
    (6, "channel_unacceptable"),
    (7, "call_awarded_and_being_delivered_in_an_established_channel"),
    (8, "pre_empted"),
    (14, "number_ported_elsewhere"),
    (16, "normal_clearing"),
    (17, "user_busy"),
    (18, "no_user_responding"),
    (19, "user_alerting_no_answer"),
    (20, "subscriber_absent"),
    (21, "call_rejected"),
    (22, "number_changed"),
    (23, "redirected_to_new_destination"),
    (26, "answered_elsewhere"),
    (27, "destination_out_of_order"),
    (28, "invalid_number_format"),
    (29, "facility_rejected"),
    (30, "response_to_status_enquiry"),
    (31, "normal_unspecified"),
    (34, "circuit_channel_congestion"),
    (38, "network_out_of_order"),
    (41, "temporary_failure"),
    (42, "switching_equipment_congestion"),
    (43, "access_information_discarded"),
    (44, "requested_channel_not_available"),
    (50, "facility_not_subscribed"),
    (52, "outgoing_call_barred"),
    (54, "incoming_call_barred"),
    (57, "bearer_capability_not_authorized"),
    (58, "bearer_capability_not_available"),
    (65, "bearer_capability_not_implemented"),
    (66, "channel_not_implemented"),
    (69, "facility_not_implemented"),
    (81, "invalid_call_reference_value"),
    (88, "incompatible_destination"),
    (95, "invalid_message_unspecified"),
    (96, "mandatory_information_element_missing"),
    (97, "message_type_nonexist"),
    (98, "wrong_message"),
    (99, "info_element_nonexist_or_not_implemented"),
    (100, "invalid_information_element_contents"),
    (101, "message_not_compatible_with_call_state"),
    (102, "recover_on_timer_expiry"),
    (103, "mandatory_ie_length_error"),
    (111, "protocol_error_unspecified"),
    (127, "interworking_unspecified"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(TABLE.is_sorted_by_key(|entry| entry.0));
    }

    #[test]
    fn known_causes_have_a_name() {
        assert_eq!(Cause(16).text(), Some("normal_clearing"));
        assert_eq!(Cause(17).text(), Some("user_busy"));
        assert_eq!(Cause(4).text(), None);
    }
}
