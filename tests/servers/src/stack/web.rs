//! A web configuration file, and the Prometheus that has what it asks for: its certificate, and its
//! password.

use std::path::PathBuf;

use support::certificates::Authority;
use support::program::demo;

use super::servers::{Server, prometheus, prometheus_2, prometheus_3, until};

/// bcrypt of `s3cret`.
const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeYKMo7jLD4MUpQ9Mp5zcAbGNL7hSCAvW";

#[test]
fn prometheus_scrapes_with_certificate_and_password_and_not_without() {
    for program in [prometheus_2(), prometheus_3()].into_iter().flatten() {
        let (folder, ca) = (support::Folder::new("web"), Authority::new("ca"));
        let (server, client) = (ca.issue(&["localhost"]), ca.issue(&["prometheus"]));
        let stranger = Authority::new("other").issue(&["prometheus"]);
        folder.write("ca.crt", &ca.pem());
        for (name, identity) in [("server", server), ("client", client), ("stranger", stranger)] {
            folder.write(&format!("{name}.crt"), &identity.certificate);
            folder.write(&format!("{name}.key"), &identity.key);
        }
        let web = folder.write("web.yml", &format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: ca.crt\n  \
             client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [prometheus]\n\
             basic_auth_users:\n  ann: {HASH}\n"
        ));

        let (_exporter, port) = demo(&["--web.config.file", &web.display().to_string()]);
        let store = prometheus(&program, &config(&folder, port), &[]);
        // Passwords are checked one after the other, so a first scrape may not end in time.
        for (job, error) in JOBS {
            until(&format!("{job} was scraped"), || {
                let said = outcome(&store, job)?;
                let is_it = said.contains(error) && said.is_empty() == error.is_empty();
                is_it.then_some(()).ok_or(said)
            });
        }
        until("one of them is up, the right one", || {
            let up = ["up{job='right'}", "sum(up)"]
                .map(|query| store.ask(query).0.into_values().collect::<Vec<_>>());
            if up == [[1.0], [1.0]] { Ok(()) } else { Err(format!("{up:?}")) }
        });
        // The pages are those of the demo.
        let queues = "count(count by (queue) (asterisk_queue_entries_total{job='right'}))";
        assert_eq!(store.ask(queues).0.into_values().collect::<Vec<_>>(), [4.0]);
    }
}

/// A job for each way to ask, and what Prometheus says of it.
const JOBS: [(&str, &str); 6] = [
    ("right", ""),
    ("wrong_password", "server returned HTTP status 401 Unauthorized"),
    ("unknown_user", "server returned HTTP status 401 Unauthorized"),
    ("no_password", "server returned HTTP status 401 Unauthorized"),
    ("no_certificate", "tls: certificate required"),
    ("stranger", "tls: unknown certificate authority"),
];

fn config(folder: &support::Folder, port: u16) -> String {
    let mut text =
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
    for (job, _) in JOBS {
        let login = match job {
            "no_password" => "",
            "wrong_password" => "basic_auth: {username: ann, password: secret}",
            "unknown_user" => "basic_auth: {username: bob, password: s3cret}",
            _ => "basic_auth: {username: ann, password: s3cret}",
        };
        let identity = match job {
            "no_certificate" => String::new(),
            "stranger" => pair(folder, "stranger"),
            _ => pair(folder, "client"),
        };
        let ca = folder.path("ca.crt");
        text += &format!(
            "  - job_name: {job}\n    scheme: https\n    static_configs: [{{targets: ['localhost:{port}']}}]\n    \
             tls_config: {{ca_file: '{}'{identity}}}\n    {login}\n",
            ca.display()
        );
    }
    text
}

fn pair(folder: &support::Folder, name: &str) -> String {
    let path = |ending: &str| -> PathBuf { folder.path(&format!("{name}.{ending}")) };
    format!(", cert_file: '{}', key_file: '{}'", path("crt").display(), path("key").display())
}

/// The error of the job's latest scrape; empty if it succeeded.
fn outcome(store: &Server, job: &str) -> Result<String, String> {
    let targets = store.json("/api/v1/targets");
    let targets = targets["data"]["activeTargets"].as_array().expect("targets").clone();
    let target = targets.into_iter().find(|target| target["labels"]["job"] == job);
    let target = target.ok_or("no such target")?;
    if target["health"] == "unknown" {
        return Err("not scraped yet".to_owned());
    }
    Ok(target["lastError"].as_str().expect("a text").to_owned())
}
