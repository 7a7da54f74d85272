//! Trunks beside real Asterisks: 16 registers by chan_sip at 22, and 22 by PJSIP at 16; the registrar
//! stops, refuses and comes back.

use std::fs;

use support::program::wait_until;

use super::BASE_QUEUES;
use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Plan, Version};

#[test]
fn trunks_up_and_down_on_16() {
    retry_if_locked_up(|| trunks_up_and_down(Version::V16, 10));
}

#[test]
fn trunks_up_and_down_on_22() {
    retry_if_locked_up(|| trunks_up_and_down(Version::V22, 11));
}

/// The server of that version is watched, the other one is its carrier.
fn trunks_up_and_down(version: Version, slot: u8) {
    let other = if version == Version::V16 { Version::V22 } else { Version::V16 };
    if !version.is_installed() || !other.is_installed() {
        return;
    }
    let [ours, theirs] = [version, other].map(|version| version.net(slot));
    let carrier = Pbx::start(other, "carrier", slot, &carrier_plan(other));
    let pbx = Pbx::start(version, "trunks", slot, &plan(version, &ours, &theirs));
    let mut exporter = Exporter::start(&pbx.net, &pbx.manager());
    assert_shown(&exporter, version, 1.0, 1.0);

    // chan_sip has round trips in its list, PJSIP when a contact comes back.
    if version == Version::V16 {
        exporter.restart();
        assert_shown(&exporter, version, 1.0, 1.0);
        wait_for_round_trip(&exporter, true);
    }

    // The carrier's power fails, and comes back.
    carrier.crash();
    assert_shown(&exporter, version, 0.0, 0.0);
    wait_for_round_trip(&exporter, false);
    carrier.start_again();
    assert_shown(&exporter, version, 1.0, 1.0);
    if version == Version::V22 {
        wait_for_round_trip(&exporter, true);
    }

    // It has another password, and then the right one again.
    change(&carrier, RIGHT, WRONG);
    assert_shown(&exporter, version, 0.0, 1.0);
    change(&carrier, WRONG, RIGHT);
    assert_shown(&exporter, version, 1.0, 1.0);

    // An exporter that comes when the carrier is down learns it from the lists.
    carrier.crash();
    assert_shown(&exporter, version, 0.0, 0.0);
    exporter.restart();
    assert_shown(&exporter, version, 0.0, 0.0);
    carrier.start_again();
    assert_shown(&exporter, version, 1.0, 1.0);

    // While the PBX itself is down nothing is known.
    pbx.crash();
    let series = all(version).map(|series| (series, None));
    wait_for(&exporter, &series);
    pbx.start_again();
    assert_shown(&exporter, version, 1.0, 1.0);

    // chan_sip is not there on 22, nor PJSIP on this 16: that is no fault.
    let numbers = exporter.numbers();
    assert_eq!(numbers.sum("asterisk_exporter_degraded", &[]), 0.0);
    assert!(!exporter.log().contains("SIP"), "{}", exporter.log());

    // Passwords that the PBX sends with a list of PJSIP are in no capture.
    let recording = exporter.record();
    let last = match version {
        Version::V16 => "RegistrationsComplete",
        Version::V22 => "OutboundRegistrationDetailComplete",
    };
    let text = wait_until(last, || Some(recording.text()).filter(|text| text.contains(last)));
    recording.stop(&format!("trunks-{}.ami.gz", version.number()));
    assert!(!text.contains("AuthDetail") && !text.contains(RIGHT), "{text}");
}

/// A series, as the text has it.
fn all(version: Version) -> [String; 5] {
    let tech = version.tech();
    [
        format!("asterisk_trunk_registered{{pbx=\"real\",trunk=\"{tech}/upstream\"}}"),
        format!("asterisk_endpoint_reachable{{pbx=\"real\",agent=\"\",trunk=\"{tech}/upstream\"}}"),
        format!(
            "asterisk_endpoint_reachable{{pbx=\"real\",agent=\"\",trunk=\"{tech}/carrier-nobody\"}}"
        ),
        "asterisk_endpoint_reachable{pbx=\"real\",agent=\"Ann Ash\",trunk=\"\"}".to_owned(),
        format!("asterisk_endpoint_reachable{{pbx=\"real\",agent=\"{tech}/999\",trunk=\"\"}}"),
    ]
}

/// Whether the trunk is registered and can be reached.  A member's phone has never registered, at another
/// trunk nobody answers, and a phone of nobody's is not shown.
fn assert_shown(exporter: &Exporter, version: Version, registered: f64, reachable: f64) {
    let [trunk, upstream, nobody, agent, stranger] = all(version);
    wait_for(
        exporter,
        &[
            (trunk, Some(registered)),
            (upstream, Some(reachable)),
            (nobody, Some(0.0)),
            (agent, Some(0.0)),
            (stranger, None),
        ],
    );
}

fn wait_for(exporter: &Exporter, wanted: &[(String, Option<f64>)]) {
    wait_until(&format!("{wanted:?}"), || {
        let text = exporter.exposition();
        let value = |series: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(series))?;
            line.trim().parse::<f64>().ok()
        };
        wanted.iter().all(|(series, expected)| value(series) == *expected).then_some(())
    });
}

/// A later answer than after three seconds is none, so that is the most on a busy machine.
fn wait_for_round_trip(exporter: &Exporter, is_known: bool) {
    wait_until("the round trip", || {
        let numbers = exporter.numbers();
        let took = numbers.series("asterisk_endpoint_round_trip_seconds", &[]).next();
        assert!(took.is_none_or(|(_, took)| took > 0.0 && took < 3.0), "{took:?}");
        (took.is_some() == is_known).then_some(())
    });
}

/// The carrier has another password from now on.
fn change(carrier: &Pbx, from: &str, to: &str) {
    let (file, command) = match carrier.version {
        Version::V16 => ("etc/sip.conf", "sip reload"),
        Version::V22 => ("etc/pjsip.conf", "module reload res_pjsip.so"),
    };
    let text = fs::read_to_string(carrier.file(file)).expect("a configuration file");
    assert!(text.contains(from));
    fs::write(carrier.file(file), text.replace(from, to)).expect("a configuration file");
    carrier.cli(command);
}

fn plan(version: Version, ours: &str, theirs: &str) -> Plan {
    let tech = version.tech();
    let sip = match version {
        Version::V16 => format!(
            "[general](+)\nqualifyfreq=2\nregistertimeout=2\ndefaultexpiry=10\nregister => branch:{RIGHT}@{theirs}.1/branch\n\
             [upstream]\ntype=peer\nhost={theirs}.1\nqualify=500\n[carrier-nobody]\ntype=peer\nhost={ours}.77\nqualify=500\n"
        ),
        // After 6.4 s without an answer a request has failed.
        Version::V22 => format!(
            "[system]\ntype=system\ntimer_t1=100\ntimer_b=6400\n[upstream](common)\naors=upstream\n[upstream]\ntype=aor\n\
             contact=sip:{theirs}.1:5060\nqualify_frequency=2\nqualify_timeout=1\n[carrier-nobody](common)\n\
             aors=carrier-nobody\n[carrier-nobody]\ntype=aor\ncontact=sip:{ours}.77:5060\nqualify_frequency=2\n\
             qualify_timeout=1\n[upstream-auth]\ntype=auth\nauth_type=userpass\nusername=branch\npassword={RIGHT}\n\
             [upstream]\ntype=registration\ntransport=lo\noutbound_auth=upstream-auth\nserver_uri=sip:{theirs}.1\n\
             client_uri=sip:branch@{theirs}.1\nexpiration=16\nretry_interval=2\nforbidden_retry_interval=2\n\
             fatal_retry_interval=2\nmax_retries=10000\nauth_rejection_permanent=no\n"
        ),
    };
    let queues = format!("{BASE_QUEUES}[support](base)\nmember => {tech}/201,0,Ann Ash\n");
    let phones = ["201", "999"].map(|phone| (phone.to_owned(), 0)).into();
    Plan { queues, phones, sip, ..Plan::default() }
}

fn carrier_plan(version: Version) -> Plan {
    let sip = match version {
        Version::V16 => format!(
            "[general](+)\nminexpiry=4\n[branch]\ntype=friend\nhost=dynamic\nsecret={RIGHT}\ncontext=from-trunk\n"
        ),
        Version::V22 => format!(
            "[branch](common)\naors=branch\nauth=branch\n[branch]\ntype=auth\nauth_type=userpass\nusername=branch\n\
             password={RIGHT}\n[branch]\ntype=aor\nmax_contacts=1\nremove_existing=yes\nminimum_expiration=4\n"
        ),
    };
    Plan { sip, ..Plan::default() }
}

const RIGHT: &str = "hush-carrier";
const WRONG: &str = "another-word";
