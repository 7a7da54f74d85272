//! The whole way from text to a checked configuration.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::correlator::{Identity, TrackedLimits};
use crate::metrics::{AgentLabel, Detail};

pub(super) const MINIMAL: &str =
    "pbx: [{address: pbx.example, username: exporter, secret: hush}]\n";

pub(super) fn sources(text: &str) -> Sources {
    let document = Document::Text { name: "config.yml".to_owned(), text: text.to_owned() };
    Sources { document, ..Sources::default() }
}

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    Sources { environment, ..sources(text) }
}

pub(super) fn load(sources: &Sources) -> Config {
    Config::load(sources, Purpose::Run).unwrap().config
}

fn mistakes(sources: &Sources) -> Vec<String> {
    let Err(error) = Config::load(sources, Purpose::Run) else { panic!("no mistake found") };
    error.to_string().lines().map(str::to_owned).collect()
}

pub(super) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_least_configuration_has_defaults_for_the_rest() {
    let config = load(&sources(MINIMAL));
    assert_eq!(config.web.listen_address, ["[::]:15038".parse().unwrap()]);
    assert_eq!(config.web.telemetry_path, "/metrics");

    let [pbx] = &config.pbxs[..] else { panic!("not one pbx") };
    assert_eq!(pbx.name.as_str(), "pbx.example");
    assert_eq!(pbx.address.to_string(), "pbx.example:5038");
    assert_eq!(
        (pbx.username.as_str(), pbx.secret.expose(), pbx.plain_login),
        ("exporter", "hush", false)
    );
    assert_eq!(
        (pbx.ping_interval, pbx.ping_timeout),
        (Duration::from_secs(10), Duration::from_secs(15))
    );
    assert_eq!((pbx.max_line, pbx.max_frame), (65_536, 1_048_576));
    assert_eq!(pbx.rules.identity, Identity::MemberName);

    assert!(config.metrics.service_level.is_none());
}

#[test]
fn the_example_loads_and_names_the_defaults() {
    let example = load(&Sources {
        document: Document::File(repository("asterisk_exporter.example.yml")),
        ..Sources::default()
    });
    let default = load(&sources(MINIMAL));
    assert_eq!(example.web, default.web);

    let shown = &example.pbxs[0];
    let own = &default.pbxs[0];
    assert_eq!(shown.address.to_string(), "127.0.0.1:5038");
    assert_eq!((shown.ping_interval, shown.ping_timeout), (own.ping_interval, own.ping_timeout));
    assert_eq!(
        (shown.queue_status_interval, shown.connect_timeout),
        (own.queue_status_interval, own.connect_timeout)
    );
    assert_eq!((shown.reconnect_min, shown.reconnect_max), (own.reconnect_min, own.reconnect_max));
    assert_eq!((shown.max_line, shown.max_frame), (own.max_line, own.max_frame));
    assert!(shown.rules.trunks.matches("PJSIP/carrier-00000001"));
    assert_eq!(
        (shown.rules.tracked, own.rules.tracked),
        <(TrackedLimits, TrackedLimits)>::default()
    );

    let shown = &example.metrics;
    let own = &default.metrics;
    assert_eq!(shown.queue_service_levels["support"], Duration::from_secs(15));
    assert_eq!(shown.short_abandon, own.short_abandon);
    assert_eq!(shown.detail, own.detail);
    assert_eq!((shown.created_lines, own.created_lines), (false, false));
    assert_eq!(shown.limits, own.limits);
    assert_eq!(own.limits.devices, 1000);
    assert_eq!(shown.buckets.hold.len(), 15);
}

#[test]
fn each_bad_file_gives_the_message_on_its_first_line() {
    let mut files = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(repository("fixtures/config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }

        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let wanted = text.lines().next().unwrap().strip_prefix("# ").unwrap();

        let Err(error) = Config::load(
            &Sources { document: Document::File(path.clone()), ..Sources::default() },
            Purpose::Run,
        ) else {
            panic!("{name} has no mistake")
        };

        let message = error.to_string().replace(&path.display().to_string(), &name);
        let message = message.strip_prefix(&format!("{name}:")).unwrap().trim_start();
        if message != wanted {
            wrong.push(format!("{name}: {message}"));
        }
        files += 1;
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(files > 25, "only {files} files");
}

#[test]
fn every_mistake_is_reported_in_the_order_of_the_file() {
    let text = "short_abandon: soon\npbx:\n  - address: pbx:0\n    usrname: x\n    secret: hush\nlimits: {queues: many}\n";
    assert_eq!(
        mistakes(&sources(text)),
        [
            "config.yml:1:16: short_abandon: soon is not a duration such as 20s, 1m or 500ms",
            "config.yml:3:5: pbx[0].username: missing: the manager account to log in with",
            "config.yml:3:14: pbx[0].address: 0 is not a port to connect to",
            "config.yml:4:14: pbx[0].usrname: unknown key, did you mean username?",
            "config.yml:6:18: limits.queues: many is not a whole number",
        ]
    );
}

#[test]
fn no_message_holds_a_secret() {
    let text = "agent_label_salt: [hush]\npbx:\n  - address: pbx\n    username: x\n    secret: [hush]\n  - address: pbx2\n    username: x\n    secret: \"hush\\n\"\n";
    let all = mistakes(&with_variables(text, &[("ASTERISK_EXPORTER_PBX__2__SECRET", "hush\n")]))
        .join("\n");
    assert!(!all.contains("hush"), "{all}");
    assert!(!format!("{:?}", load(&sources(MINIMAL))).contains("hush"));
}

#[test]
fn a_variable_overrides_one_key_of_one_entry() {
    let text = "pbx:\n  - {address: a, username: x, secret: hush}\n  - {address: b, username: y, secret: hush}\n";
    let config = load(&with_variables(
        text,
        &[
            ("ASTERISK_EXPORTER_PBX__1__SECRET", "007"),
            ("ASTERISK_EXPORTER_SHORT_ABANDON", "3"),
            ("PATH", "/bin"),
        ],
    ));

    assert_eq!(config.pbxs[0].secret.expose(), "hush");
    assert_eq!(config.pbxs[1].secret.expose(), "007");
    assert_eq!(config.pbxs[1].username, "y");
    assert_eq!(config.metrics.short_abandon, Duration::from_secs(3));
}

#[test]
fn variables_alone_can_be_the_configuration() {
    let config = load(&Sources {
        document: Document::None,
        ..with_variables(
            "",
            &[
                ("ASTERISK_EXPORTER_PBX__0__ADDRESS", "pbx"),
                ("ASTERISK_EXPORTER_PBX__0__USERNAME", "x"),
                ("ASTERISK_EXPORTER_PBX__0__SECRET", "[hush]"),
                ("ASTERISK_EXPORTER_PBX__0__TRUNKS", "['^SIP/a', '^SIP/b']"),
                ("ASTERISK_EXPORTER_WEB__LISTEN_ADDRESS", "[::1]:9000"),
                ("ASTERISK_EXPORTER_SERVICE_LEVEL__QUEUES", "{Sales: 20s}"),
            ],
        )
    });

    assert_eq!(config.pbxs[0].secret.expose(), "[hush]");
    assert!(config.pbxs[0].rules.trunks.matches("SIP/b-1"));
    assert_eq!(config.web.listen_address, ["[::1]:9000".parse().unwrap()]);
    assert_eq!(config.metrics.queue_service_levels["Sales"], Duration::from_secs(20));
}

#[test]
fn a_wrong_variable_is_named() {
    let variables = [
        ("ASTERISK_EXPORTER_PBX__0__ADDRESS", "pbx:70000"),
        ("ASTERISK_EXPORTER_PBX__7__SECRET", "x"),
        ("ASTERISK_EXPORTER_WEB__PATH", "/m"),
    ];

    assert_eq!(
        mistakes(&with_variables(MINIMAL, &variables)),
        [
            "ASTERISK_EXPORTER_PBX__0__ADDRESS: pbx[0].address: 70000 is not a port",
            "ASTERISK_EXPORTER_PBX__7__SECRET: pbx[7]: there is no such entry: the next free index is 1",
            "ASTERISK_EXPORTER_WEB__PATH: web.path: unknown key",
        ]
    );
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_our_name_are_no_mistake() {
    let variables = [
        ("ASTERISK_EXPORTER_SERVICE_HOST", "10.0.0.1"),
        ("ASTERISK_EXPORTER_SERVICE_PORT_HTTP", "15038"),
        ("ASTERISK_EXPORTER_PORT", "tcp://10.0.0.1:15038"),
        ("ASTERISK_EXPORTER_PORT_15038_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(load(&with_variables(MINIMAL, &variables)).pbxs.len(), 1);
}

#[test]
fn flags_replace_the_whole_list_of_addresses() {
    let text = format!("{MINIMAL}web: {{listen_address: [':1', ':2'], telemetry_path: /a}}\n");
    let mut sources = with_variables(&text, &[("ASTERISK_EXPORTER_WEB__TELEMETRY_PATH", "/b")]);
    sources.overrides.listen_addresses = vec![":3".to_owned()];
    let config = load(&sources);
    assert_eq!(config.web.listen_address, ["[::]:3".parse().unwrap()]);
    assert_eq!(config.web.telemetry_path, "/b");

    sources.overrides.listen_addresses = vec!["::".to_owned()];
    sources.overrides.telemetry_path = Some("/".to_owned());
    assert_eq!(
        mistakes(&sources),
        [
            "--web.listen-address: web.listen_address[0]: :: has no port",
            "--web.telemetry-path: web.telemetry_path: / is taken"
        ]
    );
}

#[test]
fn a_secret_from_a_stronger_source_beats_a_secret_file() {
    let text = "pbx: [{address: pbx, username: x, secret_file: no_such_file}]";
    let config = load(&with_variables(text, &[("ASTERISK_EXPORTER_PBX__0__SECRET", "hush")]));
    assert_eq!(config.pbxs[0].secret.expose(), "hush");
}

#[test]
fn plain_scalars_stay_as_written() {
    let text = "pbx: [{address: 10.0.0.1, name: 0x10, username: 0123, secret: 1e3}]";
    let pbx = &load(&sources(text)).pbxs[0];
    assert_eq!(
        (pbx.name.as_str(), pbx.username.as_str(), pbx.secret.expose()),
        ("0x10", "0123", "1e3")
    );
}

#[test]
fn the_interface_as_label_is_an_identity() {
    let config = load(&sources(&format!("{MINIMAL}agent_label: interface\n")));
    assert_eq!(config.pbxs[0].rules.identity, Identity::Interface);
    assert!(matches!(config.metrics.agent_label, AgentLabel::Name));
    let config = load(&sources(&format!("{MINIMAL}agent_label: hash\nagent_label_salt: salty\n")));
    assert!(matches!(config.metrics.agent_label, AgentLabel::Hash { ref salt } if salt == "salty"));
    assert_eq!(format!("{:?}", config.metrics.agent_label), "Hash { salt: *** }");
}

#[test]
fn native_histograms_and_exemplars_are_off_until_they_are_asked_for() {
    let of = |native, exemplars| Detail { native, exemplars };
    assert_eq!(load(&sources(MINIMAL)).metrics.detail, of(false, false));
    for (text, detail) in [
        ("native_histograms: true", of(true, false)),
        ("exemplars: true", of(false, true)),
        ("native_histograms: false, exemplars: true", of(false, true)),
        ("native_histograms: true, exemplars: true", of(true, true)),
    ] {
        assert_eq!(
            load(&sources(&format!("{MINIMAL}metrics: {{{text}}}\n"))).metrics.detail,
            detail
        );
    }
}

#[test]
fn created_lines_are_off_until_they_are_asked_for() {
    let config = load(&sources(&format!("{MINIMAL}metrics: {{created_lines: true}}\n")));
    assert!(config.metrics.created_lines);
}

#[test]
fn a_replay_needs_nothing() {
    let loaded = Config::load(&Sources::default(), Purpose::Replay).unwrap();
    assert_eq!(loaded.config.pbxs[0].name.as_str(), "replay");
    let absent =
        Sources { document: Document::File("no_such_file.yml".into()), ..Sources::default() };
    let loaded = Config::load(&absent, Purpose::Replay).unwrap();
    assert_eq!(
        loaded.warnings[0].to_string(),
        "no_such_file.yml: no such file: every value is the default"
    );
    assert!(matches!(Config::load(&absent, Purpose::Run), Err(Error::Unreadable { .. })));

    let text = "pbx: [{name: hq, secret_file: no_such_file, trunks: '^SIP/'}]\nservice_level: {default: 1m}\n";
    let config = Config::load(&sources(text), Purpose::Replay).unwrap().config;
    assert_eq!(config.pbxs[0].name.as_str(), "hq");
    assert!(config.pbxs[0].rules.trunks.matches("SIP/1-2"));
    assert_eq!(config.metrics.service_level, Some(Duration::from_secs(60)));
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "",
        "[]",
        "- a",
        "a",
        "pbx",
        "pbx:",
        "pbx: x",
        "pbx: [x]",
        "pbx: [[x]]",
        "pbx: {a: 1}",
        "web: []",
        "&a [*a]",
        "\u{0}",
    ] {
        assert!(Config::load(&sources(text), Purpose::Run).is_err(), "{text:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_everybody_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder =
        std::env::temp_dir().join(format!("asterisk_exporter_config_{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.yml");
    let secret = folder.join("ami");
    fs::write(&file, "pbx: [{address: pbx, username: x, secret_file: ami}]").unwrap();
    fs::write(&secret, "hush\n").unwrap();
    let sources = Sources { document: Document::File(file), ..Sources::default() };

    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let open = Config::load(&sources, Purpose::Run).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let closed = Config::load(&sources, Purpose::Run).unwrap();
    fs::remove_dir_all(&folder).unwrap();

    assert_eq!(open.config.pbxs[0].secret.expose(), "hush");
    assert_eq!(open.warnings.len(), 1);
    let shown = secret.display();
    let message = format!("everybody may read {shown}, its mode is 0644: chmod 0640 {shown}");
    assert_eq!(open.warnings[0].message, message);
    assert!(closed.warnings.is_empty());
}

#[test]
fn a_salt_everybody_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let file =
        std::env::temp_dir().join(format!("asterisk_exporter_salt_{}.yml", std::process::id()));
    fs::write(
        &file,
        "pbx: [{address: pbx, username: x}]\nagent_label: hash\nagent_label_salt: salty\n",
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();

    let secret = ("ASTERISK_EXPORTER_PBX__0__SECRET".into(), "hush".into());
    let sources = Sources {
        document: Document::File(file.clone()),
        environment: vec![secret],
        ..Sources::default()
    };
    let loaded = Config::load(&sources, Purpose::Run).unwrap();
    fs::remove_file(&file).unwrap();

    let shown = file.display();
    let expected = format!(
        "{shown}:3:19: agent_label_salt: everybody may read {shown}, its mode is 0664: chmod 0640 {shown}"
    );
    assert_eq!(loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn times_that_make_no_sense_are_questioned_with_key_and_value() {
    let text = "pbx:\n  - address: pbx\n    username: x\n    secret: hush\n    ping_timeout: 15000\n    \
        reconnect_max: 5h\nservice_level:\n  default: 20000\n  queues: {sales: 20ms, support: 20}\n\
        short_abandon: 5000\nbuckets:\n  hold: [1000, 5000]\n  talk: [5, 10]\n";
    let loaded = Config::load(&sources(text), Purpose::Run).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "config.yml:5:19: pbx[0].ping_timeout: 15000 is 4h10m, more than makes sense here (at most 5m): a number without a unit is seconds",
            "config.yml:6:20: pbx[0].reconnect_max: 5h is more than makes sense here (at most 1h)",
            "config.yml:8:12: service_level.default: 20000 is 5h33m20s, more than makes sense here (at most 1h): a number without a unit is seconds",
            "config.yml:9:19: service_level.queues.sales: 20ms is less than makes sense here (at least 1s)",
            "config.yml:10:16: short_abandon: 5000 is 1h23m20s, more than makes sense here (at most 5m): a number without a unit is seconds",
            "config.yml:12:10: buckets.hold[0]: 1000 is 16m40s, more than makes sense here (at most 5m): a number without a unit is seconds",
        ]
    );
    assert_eq!(loaded.config.pbxs[0].ping_timeout, Duration::from_secs(15_000));

    let text = "pbx:\n  - address: pbx\n    username: x\n    secret: hush\n    wrapup:\n      default: 10\n      \
        queues: {sales: 10000}\n";
    let warnings = Config::load(&sources(text), Purpose::Run).unwrap().warnings;
    let expected = "config.yml:7:23: pbx[0].wrapup.queues.sales: 10000 is 2h46m40s, more than makes sense here \
        (at most 1h): a number without a unit is seconds";
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_file_without_end_is_no_configuration() {
    let endless = Sources { document: Document::File("/dev/zero".into()), ..Sources::default() };
    let Err(Error::Unreadable { source, .. }) = Config::load(&endless, Purpose::Run) else {
        panic!("it was read")
    };
    assert_eq!(source.to_string(), "larger than 1 MiB, which no configuration is");
}

#[test]
fn each_pbx_has_the_limits_of_what_is_followed_at_once() {
    let config = load(&sources(
        "pbx: [{address: one, username: x, secret: y}, {address: other, username: x, secret: y}]\n\
         limits: {channels: 1000, stays: 1001, tracked_members: 1002, recordings: 1003}\n",
    ));
    let tracked = config.pbxs.iter().map(|pbx| pbx.rules.tracked).collect::<Vec<_>>();
    let expected = TrackedLimits { channels: 1000, stays: 1001, members: 1002, recordings: 1003 };
    assert_eq!(tracked, [expected; 2]);
    // Those of labels are others.
    assert_eq!(config.metrics.limits.members, 2500);
}

#[test]
fn a_key_whose_values_are_commented_out_is_an_empty_one() {
    let config = load(&sources(&format!(
        "{MINIMAL}web:\nlimits:\npause_reasons:\nservice_level:\n  queues:\n"
    )));
    assert_eq!(config.metrics.limits.queues, 500);

    assert_eq!(
        mistakes(&sources("pbx:\n")),
        ["config.yml:1:1: pbx: is empty: at least one is needed"]
    );
    assert_eq!(
        mistakes(&sources(&format!("{MINIMAL}short_abandon:\n"))),
        ["config.yml:2:1: short_abandon: has no value"]
    );
}

#[test]
fn a_queue_may_be_called_by_a_number() {
    let text = format!("{MINIMAL}service_level: {{queues: {{600: 20s, 601: 30s}}}}\n");
    let mut variables = [("ASTERISK_EXPORTER_SERVICE_LEVEL__QUEUES__600", "15s")];
    let config = load(&with_variables(&text, &variables));
    assert_eq!(config.metrics.queue_service_levels["600"], Duration::from_secs(15));
    assert_eq!(config.metrics.queue_service_levels["601"], Duration::from_secs(30));

    variables[0].1 = "0";
    assert_eq!(
        mistakes(&with_variables(&text, &variables)),
        [
            "ASTERISK_EXPORTER_SERVICE_LEVEL__QUEUES__600: service_level.queues.600: must be longer than 0"
        ]
    );
}

#[test]
fn aliases_name_devices_and_queues() {
    let text = "pbx:\n- {address: pbx.example, username: exporter, secret: hush, aliases: {agents: {PJSIP/201: Ann}, \
                queues: {600: Support}}}\n";
    let config = load(&sources(text));
    let pbx = &config.pbxs[0];
    let aliases = &config.metrics.queue_aliases;
    assert_eq!(pbx.rules.agent_aliases["PJSIP/201"], "Ann");
    assert_eq!(aliases.of(&pbx.name, "600"), Some("Support"));

    assert_eq!(
        mistakes(&sources(&text.replace("agents:", "agent:"))),
        ["config.yml:2:70: pbx[0].aliases.agent: unknown key, did you mean agents?"]
    );
    assert_eq!(
        mistakes(&sources(&text.replace("600: Support", "sales: A, Sales: B"))),
        [
            "config.yml:2:96: pbx[0].aliases.queues: sales and Sales are one: Asterisk compares them without case"
        ]
    );
}

#[test]
fn queues_are_in_groups_and_agents_in_teams() {
    let text = "pbx:\n- {address: pbx.example, username: exporter, secret: hush, aliases: {queues: {600: Support}}, \
                groups: {Support: Service, sales: Sales}, teams: {Ann: Blue}}\n";
    let pbx = load(&sources(text)).pbxs.remove(0);
    let pairs = |map: &BTreeMap<String, String>| {
        map.iter().map(|(name, of)| format!("{name} {of}")).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&pbx.groups), ["Support Service", "sales Sales"]);
    assert_eq!(pairs(&pbx.teams), ["Ann Blue"]);

    let shared = text.replace("600: Support", "600: Support, 601: Support");
    assert_eq!(load(&sources(&shared)).pbxs[0].groups.len(), 2);
    assert_eq!(
        mistakes(&sources(&text.replace("{Support: Service", "{600: Service"))),
        ["config.yml:2:109: pbx[0].groups.600: 600 has an alias: give the group of Support"]
    );
    // A name that is another queue's alias is that alias.
    let swapped = text.replace("600: Support", "600: Support, Support: Help");
    assert_eq!(load(&sources(&swapped)).pbxs[0].groups.len(), 2);
    assert_eq!(
        mistakes(&sources(&text.replace("sales: Sales", "support: Sales"))),
        [
            "config.yml:2:95: pbx[0].groups: support and Support are one: Asterisk compares them without case"
        ]
    );
    assert_eq!(
        mistakes(&sources(&text.replace("sales: Sales", "sales: ''"))),
        ["config.yml:2:129: pbx[0].groups.sales: is empty"]
    );
}

#[test]
fn a_limit_of_series_has_room_for_what_is_configured() {
    let targets: String = (1..=900).map(|i| format!("    q{i}: {i}s\n")).collect();
    let text = |limit| {
        format!("{MINIMAL}limits:\n  series: {limit}\nservice_level:\n  queues:\n{targets}")
    };
    assert_eq!(
        mistakes(&sources(&text(10_000))),
        [
            "config.yml:3:11: limits.series: 10000 is too low: these buckets, service_level.queues and pause_reasons \
          need 10536 without any queue"
        ]
    );
    assert_eq!(load(&sources(&text(20_000))).metrics.limits.series, 20_000);
}

#[test]
fn a_credential_of_systemd_is_read_by_its_name() {
    let directory = repository("fixtures/credentials");
    let with = |keys: &str, directory: Option<&Path>| {
        let text = format!("pbx: [{{address: pbx, username: x, {keys}}}]");
        let mut sources = sources(&text);
        sources.environment.extend(
            directory.map(|path| ("CREDENTIALS_DIRECTORY".into(), path.as_os_str().to_owned())),
        );
        sources
    };
    let loaded = load(&with("secret_credential: hq", Some(&directory)));
    assert_eq!(loaded.pbxs[0].secret.expose(), "in a credential");

    let key = "pbx[0].secret_credential";
    for (keys, directory, mistake) in [
        (
            "secret_credential: hq",
            None,
            format!(
                "config.yml:1:54: {key}: hq: systemd has given no credentials: is LoadCredential set?"
            ),
        ),
        (
            "secret_credential: no",
            Some(&*directory),
            format!("config.yml:1:54: {key}: no: No such file or directory (os error 2)"),
        ),
        (
            "secret_credential: ../tls/secret",
            Some(&*directory),
            format!("config.yml:1:54: {key}: ../tls/secret is not the name of a credential"),
        ),
        (
            "secret: y, secret_credential: hq",
            Some(&*directory),
            format!(
                "config.yml:1:65: {key}: cannot be combined with secret: only one of them is possible"
            ),
        ),
    ] {
        assert_eq!(mistakes(&with(keys, directory)), [mistake], "{keys}");
    }
}
