//! The files as text.

use thiserror::Error;

use super::Answers;
use crate::manager_conf::{AccountError, manager_conf};

/// A file to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewFile {
    /// Its name, in the folder of all of them.
    pub name: &'static str,
    /// Its text.
    pub text: String,
    /// Whether it holds the secret, so that only its owner may read it.
    pub is_secret: bool,
}

/// Why there is nothing to write.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Unready {
    /// The account depends on it.
    #[error("the version of Asterisk is not given")]
    NoVersion,
    /// There is no such account.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// The files for these answers and a new secret.
///
/// # Errors
/// An answer is missing.
pub fn files(answers: &Answers, secret: &str) -> Result<Vec<NewFile>, Unready> {
    let version = answers.asterisk.ok_or(Unready::NoVersion)?;
    let account = manager_conf(version, &answers.account(secret))?;
    let file = |name, text, is_secret| NewFile { name, text, is_secret };
    Ok(vec![
        file(CONFIGURATION, configuration(answers, SecretAt::File(SECRET)), false),
        file(SECRET, format!("{secret}\n"), true),
        file(ACCOUNT, account, true),
        file(SCRAPE_JOB, scrape_job(answers), false),
    ])
}

/// Where the configuration has the secret.
#[derive(Clone, Copy)]
pub(super) enum SecretAt<'a> {
    /// In a file beside it.
    File(&'a str),
    /// In itself.
    Text(&'a str),
}

/// The exporter's configuration.
pub(super) fn configuration(answers: &Answers, secret: SecretAt<'_>) -> String {
    let Answers { name, address, username, trunks, service_level, listen_address, .. } = answers;
    let [name, address, username, service_level, listen_address] =
        [name, address, username, service_level, listen_address].map(|text| quoted(text));
    let secret = match secret {
        SecretAt::File(name) => format!("secret_file: {name}"),
        SecretAt::Text(text) => format!("secret: {}", quoted(text)),
    };
    let trunks: Vec<_> = trunks.iter().map(|pattern| quoted(pattern)).collect();
    let trunks = trunks.join(", ");

    format!(
        "\
# Configuration of asterisk_exporter, as `asterisk_exporter setup` has written it.  `check-config` reports every mistake
# in it, `doctor` what is missing on the PBX.  docs/configuration.md has every key.

web:
  # Where Prometheus reads the metrics; ':port' is every interface.
  listen_address: {listen_address}

pbx:
  - # The label `pbx` of all metrics.
    name: {name}
    address: {address}
    username: {username}
    # The secret of the account, in a file that only its owner may read.  For systemd's LoadCredential=, write
    # secret_credential and the credential's name instead.
    {secret}
    # Which channels are trunks, as regular expressions over channel names.  `doctor` prints what they match.
    trunks: [{trunks}]

service_level:
  # Within which time a caller should be answered.
  default: {service_level}
"
    )
}

/// The job, as a file of its own: a main file takes it by `scrape_config_files`.
fn scrape_job(answers: &Answers) -> String {
    let (listen, more) = match answers.listen_address.strip_prefix(':') {
        Some(port) => (
            format!("localhost:{port}"),
            "  If Prometheus is on another machine: the name of this one.",
        ),
        None => (answers.listen_address.clone(), ""),
    };
    format!(
        "\
# The job for prometheus.yml: copy it below scrape_configs there, or name this file in scrape_config_files.
scrape_configs:
  - job_name: asterisk
    static_configs:
      # Where the exporter listens.{more}
      - targets: [{}]
",
        quoted(&listen)
    )
}

/// A text of YAML that is nothing but this text: in single quotes only a quote has a meaning.
fn quoted(text: &str) -> String {
    if text.contains(char::is_control) {
        // In double quotes everything can be escaped, as in JSON.
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// The file with the exporter's configuration.
pub const CONFIGURATION: &str = "config.yml";
/// The file with the job for Prometheus.
pub const SCRAPE_JOB: &str = "scrape_job.yml";
/// All files.
pub const NAMES: [&str; 4] = [CONFIGURATION, SECRET, ACCOUNT, SCRAPE_JOB];
const SECRET: &str = "secret";
/// The file with the stanza for manager.conf.
pub const ACCOUNT: &str = "manager_account.conf";

#[cfg(test)]
mod tests {
    use super::super::Topic;
    use super::*;

    #[test]
    fn every_file_has_its_name_and_only_two_hold_the_secret() {
        let mut answers = Answers::default();
        assert_eq!(files(&answers, "s3cret"), Err(Unready::NoVersion));
        answers.take(Topic::Asterisk, "22.1").expect("a version");
        let files = files(&answers, "s3cret").expect("files");
        assert_eq!(files.iter().map(|file| file.name).collect::<Vec<_>>(), NAMES);
        for file in files {
            assert_eq!(file.text.contains("s3cret"), file.is_secret, "{}", file.name);
        }
    }

    #[test]
    fn a_text_of_yaml_is_read_as_it_was() {
        for text in ["it's", "a: b #c", "\\d+", "", "tab\there", "*x"] {
            let read: String = serde_saphyr::from_str(&quoted(text)).expect("YAML");
            assert_eq!(read, text);
        }
    }

    #[test]
    fn prometheus_on_another_machine_is_thought_of_where_every_interface_listens() {
        let mut answers = Answers::default();
        assert!(
            scrape_job(&answers)
                .contains("name of this one.\n      - targets: ['localhost:15038']\n")
        );
        answers.take(Topic::ListenAddress, "127.0.0.1:9").expect("an address");
        assert!(scrape_job(&answers).contains("listens.\n      - targets: ['127.0.0.1:9']\n"));
    }
}
