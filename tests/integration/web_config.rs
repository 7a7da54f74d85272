//! Web configuration files: each mistake has its place, and the toolkit's own checker agrees.

use std::fs;
use std::path::Path;
use std::process::Command;

use asterisk_exporter::clock::Clock;
use asterisk_exporter::error::with_causes;
use asterisk_exporter::http::WebConfig;
use support::certificates::Authority;
use support::program::{newest, run};
use support::{Folder, fixture};

/// The files of `fixtures/web`, in a folder that has the certificates that they name.
fn files() -> (Folder, Vec<String>) {
    let (folder, ca) = (Folder::new("web-config"), Authority::new("ca"));
    let server = ca.issue(&["localhost"]);
    folder.write("ca.crt", &ca.pem());
    folder.write("server.crt", &server.certificate);
    folder.write("server.key", &server.key);

    let inline = |pem: &str| pem.trim().replace('\n', "\n    ");
    let mut names = Vec::new();
    for entry in fs::read_dir(fixture("web")).expect("fixtures") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("a name");
        let text = fs::read_to_string(entry.path()).expect("a text");
        let text = text.replace("    CERTIFICATE", &format!("    {}", inline(&server.certificate)));
        folder.write(&name, &text.replace("    KEY", &format!("    {}", inline(&server.key))));
        names.push(name);
    }
    names.sort();
    (folder, names)
}

/// Every mistake, a line each.
fn mistakes(path: &Path) -> Option<String> {
    WebConfig::open(path, Clock::start()).err().map(|error| with_causes(&error))
}

#[test]
fn each_bad_file_gives_the_message_on_its_first_line() {
    let (folder, names) = files();
    let mut wrong = Vec::new();
    for name in &names {
        let path = folder.path(name);
        let found = mistakes(&path);
        if name.starts_with("good_") {
            assert_eq!(found, None, "{name}");
            continue;
        }

        let text = fs::read_to_string(&path).expect("a text");
        let wanted =
            text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a message");
        let found = found.unwrap_or_else(|| panic!("{name} has no mistake"));
        let found = found.lines().next().unwrap_or_default();
        let prefix = format!("{}:", path.display());
        let found = found.strip_prefix(&prefix).unwrap_or(found).trim_start();
        let found = found.replace(&format!("{}/", path.parent().expect("a folder").display()), "");
        if found != wanted {
            wrong.push(format!("{name}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(names.len() > 35, "{names:?}");
}

/// promtool 2 does not know `rate_limit`.
#[test]
fn promtool_takes_the_good_files_and_no_bad_one() {
    let Some(promtool) = newest("promtool") else { return };
    let (folder, names) = files();
    for name in names {
        let output = Command::new(&promtool)
            .args(["check", "web-config"])
            .arg(folder.path(&name))
            .output()
            .expect("promtool starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), !name.starts_with("bad_"), "{name}: {said}");
    }
}

#[test]
fn what_go_speaks_and_rustls_does_not_is_a_warning_with_its_place() {
    let (folder, _) = files();
    let path = folder.path("good_everything.yml");
    let (_, warnings) = WebConfig::open(&path, Clock::start()).expect("a good file");
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let at = |place: &str| format!("{}:{place}", path.display());
    assert_eq!(
        warnings,
        [
            at(
                "7:16: tls_server_config.min_version: TLS 1.2 is the oldest version that is spoken here"
            ),
            at(
                "10:3: tls_server_config.cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not spoken \
                here, and ignored"
            ),
            at(
                "13:3: tls_server_config.curve_preferences: CurveP521 is not spoken here, and ignored"
            ),
        ]
    );
}

#[test]
fn a_policy_that_takes_any_certificate_is_a_warning_where_a_ca_or_names_are_given() {
    let (folder, _) = files();
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    let warnings = |auth: &str, more: &str| {
        let path = folder.write("any.yml", &format!("{tls}  client_auth_type: {auth}\n{more}"));
        let (_, warnings) = WebConfig::open(&path, Clock::start()).expect("a good file");
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };

    let (ca, sans) = ("  client_ca_file: ca.crt\n", "  client_allowed_sans: [prometheus]\n");
    let any = format!(
        "{}:4:21: tls_server_config.client_auth_type: any certificate is taken, whoever issued it: \
         RequireAndVerifyClientCert takes those of the CA only",
        folder.path("any.yml").display()
    );
    for auth in ["RequestClientCert", "RequireAnyClientCert"] {
        assert_eq!(warnings(auth, ca), [&*any], "{auth}");
        assert_eq!(warnings(auth, sans), [&*any], "{auth}");
        assert!(warnings(auth, "").is_empty(), "{auth}");
    }
    assert!(warnings("RequireAndVerifyClientCert", &format!("{ca}{sans}")).is_empty());
}

#[test]
fn check_config_checks_the_web_configuration_file_too() {
    let (folder, _) = files();
    let config = |web: &str| {
        let text = format!(
            "web: {{config_file: {web}}}\npbx: [{{address: pbx, username: exporter, secret: hush}}]\n"
        );
        folder.write("config.yml", &text).display().to_string()
    };
    let check = |web: &str| {
        let output = run(&["check-config", "--config", &config(web)]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    assert_eq!(check("good_tls.yml"), (Some(0), String::new()));
    let (code, said) = check("good_everything.yml");
    assert_eq!((code, said.lines().count()), (Some(0), 3), "{said}");
    assert!(said.contains(":7:16: tls_server_config.min_version: warning: TLS 1.2 is"), "{said}");

    let (code, said) = check("bad_header.yml");
    let place = folder.path("bad_header.yml");
    let message = "http_server_config.headers.Content-Type: unknown key";
    assert_eq!((code, said), (Some(1), format!("{}:4:19: {message}\n", place.display())));
    let (code, said) = check("none.yml");
    assert_eq!(code, Some(1));
    assert!(
        said.ends_with("none.yml: not readable: No such file or directory (os error 2)\n"),
        "{said}"
    );
}
