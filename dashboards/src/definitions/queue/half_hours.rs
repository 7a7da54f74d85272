//! How the day went so far.

use super::super::builder::{Column, Panel, Row};
use super::super::shared::{self, HALF_HOUR};
use super::super::{QUEUE, share};

pub(super) fn row() -> Row {
    let range = HALF_HOUR.range;
    let count =
        |counter: &str, matchers: &str| format!("sum(increase({counter}{{{matchers}}}{range}))");
    let exits = |outcomes: &str| {
        count("asterisk_queue_exits_total", &format!("{QUEUE}, outcome{outcomes}"))
    };
    let with_target = |counter: &str, matchers: &str| {
        format!(
            "sum(increase({counter}{{{matchers}}}{range}) and on (pbx, queue) \
             max_over_time(asterisk_queue_service_level_target_seconds{range}))"
        )
    };
    let in_time = share(
        &with_target("asterisk_queue_answered_in_target_total", QUEUE),
        &with_target(
            "asterisk_queue_exits_total",
            &format!("{QUEUE}, outcome=~\"answered|abandoned\""),
        ),
    );
    let longest =
        format!("max(max_over_time(asterisk_queue_longest_wait_seconds{{{QUEUE}}}{range}))");
    Row::titled(
        "Today by half hour",
        11,
        vec![(
            24,
            Panel::half_hours(
                "Half hours of today",
                "One row per half hour since midnight in the time zone of the dashboard, for the selected queues together; \
                 the first row is the present one, so far. Service level is the share of calls answered within the target, \
                 of all answered and abandoned calls. A call counts when its wait or its talk ends.",
                vec![
                    Column::new("Offered", "short", count("asterisk_queue_entries_total", QUEUE)),
                    Column::new("Answered", "short", exits("=\"answered\"")),
                    Column::new("Abandoned", "short", exits("=\"abandoned\"")),
                    Column::new("Abandon rate", "percentunit", share(&exits("=\"abandoned\""), &exits("!=\"lost\""))),
                    Column::new("Service level", "percentunit", in_time),
                    Column::new("ASA", "dthms", shared::speed_of_answer(&HALF_HOUR)),
                    Column::new("AHT", "dthms", shared::handle_time(&HALF_HOUR)),
                    Column::new("Longest wait", "dthms", longest),
                ],
            )
            .decimals(0),
        )],
    )
}
