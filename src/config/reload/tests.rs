//! Every key of the reference: what is printed of it, and what a reload does with another value.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reference::{KEYS, OF_PBX, Value, of_pbx, settings};
use super::super::{Change, Config, Document, Purpose, Sources};
use super::*;

/// Every key with a value that is no default, but for secrets, of which one is possible.
const OTHERS: &[(&str, &str)] = &[
    ("web.listen_address", "['127.0.0.1:9000']"),
    ("web.telemetry_path", "/numbers"),
    ("web.config_file", "web.yml"),
    ("web.systemd_socket", "true"),
    ("web.health_socket", "/tmp/health.sock"),
    ("web.enable_lifecycle", "true"),
    ("web.wallboard", "false"),
    ("web.wallboard_viewers", "50"),
    ("pbx[].name", "other"),
    ("pbx[].address", "pbx.example:5099"),
    (
        "pbx[].tls",
        "{ca_file: @/client.crt, cert_file: @/client.crt, key_file: @/client.key, min_version: '1.3'}",
    ),
    ("pbx[].username", "somebody"),
    ("pbx[].secret", "other"),
    ("pbx[].secret_file", "@/secret"),
    ("pbx[].secret_credential", "hq"),
    ("pbx[].plain_login", "true"),
    ("pbx[].trunks", "['^SIP/carrier', \"it's\"]"),
    ("pbx[].agents", "['^SIP/2']"),
    ("pbx[].wrapup.default", "10s"),
    ("pbx[].wrapup.queues", "{support: 1.5s, '600': 0.1234567}"),
    ("pbx[].shared_lastcall", "yes"),
    ("pbx[].inbound_contexts", "[from-carrier]"),
    ("pbx[].outbound_contexts", "[to-carrier]"),
    ("pbx[].aliases.agents", "{SIP/201: Ann Ash}"),
    ("pbx[].aliases.queues", "{'600': 'Support: all'}"),
    ("pbx[].aliases.trunks", "{sip.example.com: SIP/carrier}"),
    ("pbx[].groups", "{support: Service}"),
    ("pbx[].teams", "{Ann Ash: Blue}"),
    ("pbx[].queue_log", "/var/log/asterisk/queue_log"),
    ("pbx[].pjsip_registrations", "always"),
    ("pbx[].ping_interval", "11s"),
    ("pbx[].ping_timeout", "16s"),
    ("pbx[].queue_status_interval", "1m30s"),
    ("pbx[].connect_timeout", "11s"),
    ("pbx[].reconnect_min", "2s"),
    ("pbx[].reconnect_max", "61s"),
    ("pbx[].max_line_bytes", "65537"),
    ("pbx[].max_frame_bytes", "1048577"),
    ("service_level.default", "25s"),
    ("service_level.queues", "{Sales: 15s}"),
    ("service_level.share", "0.9"),
    ("short_abandon", "6s"),
    ("buckets.hold", "[1, 2.5]"),
    ("buckets.ring", "[1, 2]"),
    ("buckets.talk", "[1, 2]"),
    ("agent_label", "interface"),
    ("agent_label_salt", "pepper"),
    ("agent_histograms", "sums"),
    ("metrics.native_histograms", "true"),
    ("metrics.exemplars", "true"),
    ("metrics.created_lines", "true"),
    ("metrics.zero_series", "few"),
    ("limits.queues", "501"),
    ("limits.agents", "5001"),
    ("limits.devices", "1001"),
    ("limits.trunks", "201"),
    ("limits.pause_reasons", "21"),
    ("limits.members", "2501"),
    ("limits.series", "300001"),
    ("limits.channels", "1000"),
    ("limits.stays", "1001"),
    ("limits.recordings", "1002"),
    ("limits.tracked_members", "1003"),
    ("pause_reasons", "[Lunch]"),
    ("queues.allow", "['^s']"),
    ("queues.deny", "['^t']"),
];

/// The configuration of a file, with these keys in place of those before.
fn with(keys: &[(&str, &str)]) -> Config {
    let mut all = BTreeMap::from([
        ("pbx[].name", "hq"),
        ("pbx[].address", "pbx.example"),
        ("pbx[].username", "x"),
        ("pbx[].secret", "hush"),
    ]);
    for (key, value) in keys {
        if key.starts_with("pbx[].secret") {
            all.remove("pbx[].secret");
        }
        all.insert(key, value);
    }

    // Nested by its points, in YAML's flow style.
    let mut of_pbx = String::new();
    let mut others = String::new();
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for (key, value) in all {
        let (out, key) = match key.strip_prefix(OF_PBX) {
            Some(key) => (&mut of_pbx, key),
            None => (&mut others, key),
        };
        match key.split_once('.') {
            None => out.push_str(&format!("{key}: {value}, ")),
            Some((section, key)) => {
                let section = sections.entry(section).or_default();
                section.push_str(&format!("{key}: {value}, "));
            }
        }
    }
    for (section, keys) in sections {
        let out = if ["wrapup", "aliases"].contains(&section) { &mut of_pbx } else { &mut others };
        out.push_str(&format!("{section}: {{{keys}}}, "));
    }
    let text = format!("{{pbx: [{{{of_pbx}}}], {others}}}");
    load(&text.replace('@', concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tls")))
}

fn load(text: &str) -> Config {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/credentials");
    let sources = Sources {
        document: Document::Text { name: "config.yml".to_owned(), text: text.to_owned() },
        environment: vec![("CREDENTIALS_DIRECTORY".into(), directory.into())],
        ..Sources::default()
    };
    match Config::load(&sources, Purpose::Run) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// All settings under the names of the reference.
fn all(config: &Config) -> BTreeMap<String, Value> {
    let of_pbxs = config.pbxs.iter().flat_map(of_pbx);
    let of_pbxs = of_pbxs.map(|(key, value)| (format!("{OF_PBX}{key}"), value));
    let others = settings(config).into_iter().map(|(key, value)| (key.to_owned(), value));
    of_pbxs.chain(others).collect()
}

/// What a key needs beside it.
fn beside(key: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let key = KEYS.iter().find(|(name, _)| *name == key).expect("a key").0;
    match key {
        "agent_label_salt" => vec![("agent_label", "hash"), (key, value)],
        _ => vec![(key, value)],
    }
}

#[test]
fn every_key_is_printed_and_has_another_value_here() {
    let named: BTreeSet<_> = OTHERS.iter().map(|(key, _)| (*key).to_owned()).collect();
    let known: BTreeSet<_> = KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(named, known);

    let mut printed: BTreeSet<String> = BTreeSet::new();
    for (key, value) in OTHERS {
        printed.extend(all(&with(&beside(key, value))).into_keys());
    }
    assert_eq!(printed, known);
}

#[test]
fn a_reload_does_with_every_key_what_the_reference_says() {
    for (key, value) in OTHERS {
        // A salt can only change where there is one.
        let first = if *key == "agent_label_salt" { beside(key, "salt") } else { Vec::new() };
        let (old, new) = (with(&first), with(&beside(key, value)));
        let change = Change::of(key).unwrap();
        let Reloaded { config, restart_needed } = old.reloaded(new.clone());
        assert_ne!(all(&old), all(&new), "{key}");
        let (before, after) = (&old.pbxs[0], &config.pbxs[0]);

        if change == Change::Restart {
            let place = key.replace("pbx[]", "pbx[0]");
            assert_eq!(restart_needed, [place], "{key}");
            assert_eq!(all(&config), all(&old), "{key}");
            assert!(!before.differs(after), "{key}");
            continue;
        }
        assert_eq!(restart_needed, [""; 0], "{key}");
        assert_eq!(all(&config), all(&new), "{key}");
        let is_of_pbx = key.starts_with(OF_PBX) || key.starts_with("limits.");
        assert_eq!(before.differs(after), is_of_pbx, "{key}");
        let logs_in = [Change::Reconnect, Change::NextConnection].contains(&change);
        assert_eq!(before.connects_otherwise(after), change == Change::Reconnect, "{key}");
        assert!(logs_in || !before.logs_in_otherwise(after), "{key}");
    }
}

#[test]
fn a_secret_that_changes_is_for_the_next_login() {
    let (old, new) = (with(&[]), with(&[("pbx[].secret", "other")]));
    let reloaded = old.reloaded(new).config;
    let [before, after] = [&old.pbxs[0], &reloaded.pbxs[0]];
    assert!(before.logs_in_otherwise(after) && !before.connects_otherwise(after));
    assert_eq!(after.secret.expose(), "other");
}

#[test]
fn pbxs_are_the_same_by_name_whatever_their_order() {
    let two = "
pbx:
  - {name: a, address: a.example, username: x, secret: y, aliases: {queues: {'1': One}}}
  - {name: b, address: b.example, username: x, secret: y}
";
    let three = "
pbx:
  - {name: c, address: c.example, username: x, secret: y, aliases: {queues: {'3': Three}}}
  - {name: b, address: b.example, username: x, secret: y, aliases: {queues: {'2': Two}}}
  - {name: a, address: a.example, username: x, secret: y}
agent_label: interface
limits: {devices: 7}
";
    let old = load(two);
    let Reloaded { config, restart_needed } = old.reloaded(load(three));
    assert_eq!(
        restart_needed,
        ["agent_label", "limits.devices", "pbx[1].aliases.queues", "pbx[2].aliases.queues"]
    );

    // One that is new has all that is its own, and no more.
    let names: Vec<_> = config.pbxs.iter().map(|pbx| pbx.name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a"]);
    let alias = |pbx: usize, queue: &str| {
        let name = &config.pbxs[pbx].name;
        config.metrics.queue_aliases.of(name, queue).map(str::to_owned)
    };
    assert_eq!(
        [alias(0, "3"), alias(1, "2"), alias(2, "1")],
        [Some("Three".to_owned()), None, Some("One".to_owned())]
    );
    assert_eq!(config.pbxs[0].rules.identity, old.pbxs[0].rules.identity);
    assert_eq!(config.pbxs[0].rules.names.devices, 1000);
}

#[test]
fn what_is_printed_is_the_same_configuration_without_its_secrets() {
    for (key, value) in OTHERS {
        let config = with(&beside(key, value));
        let text = config.print().unwrap();
        for secret in ["hush", "pepper", "in a file", "in a credential"] {
            assert!(!text.contains(secret), "{key}: {text}");
        }

        let again = load(&text);
        assert_eq!(again.print().unwrap(), text, "{key}");
        let shown = |config: &Config| {
            let mut all = all(config);
            all.retain(|_, value| !matches!(value, Value::Secret(_)));
            all
        };
        assert_eq!(shown(&again), shown(&config), "{key}: {text}");
    }
}

#[test]
fn the_printed_text_is_as_a_person_would_write_it() {
    let keys = [("service_level.queues", "{Sales: 15s}"), ("buckets.hold", "[1, 2.5]")];
    let text = with(&keys).print().unwrap();
    for part in [
        "pbx:\n  - name: hq\n    address: pbx.example:5038\n    tls: false\n    username: x\n    secret: \"***\"\n",
        "    wrapup:\n      default: 0s\n      queues: {}\n    shared_lastcall: false\n",
        "service_level:\n  queues:\n    Sales: 15s\n  share: 0.8\nshort_abandon: 5s\nbuckets:\n  hold: [1, 2.5]\n",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}
