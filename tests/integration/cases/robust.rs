//! What is out of order, and what is late.

use super::Case;

#[test]
fn an_originated_call_whose_response_comes_behind_its_hangup_is_counted_once() {
    let numbers = Case::open("originate-response-late").numbers();
    let call = [("direction", "unknown"), ("agent", "PJSIP/a101"), ("trunk", "")];
    let answered = [call[0], call[1], call[2], ("result", "answered")];
    assert_eq!(numbers.sum("asterisk_calls_total", &answered), 1.0);
    assert_eq!(numbers.sum("asterisk_calls_total", &[]), 1.0);
    let cause = [call[0], call[1], call[2], ("cause", "16")];
    assert_eq!(numbers.sum("asterisk_call_hangups_total", &cause), 1.0);
    assert_eq!(numbers.sum("asterisk_call_hangups_total", &[]), 1.0);
    assert_eq!(numbers.sum("asterisk_exporter_tracked_objects", &[]), 0.0);
}
