//! The command `setup`: from questions to the files of a new installation, and the doctor at the end.
//!
//! Nothing is written before everything is answered and every file is known to have its place.

mod account;
mod dialogue;
mod files;
mod machine;

use std::path::{Path, PathBuf};

use account::Place;
use dialogue::Dialogue;
pub(super) use dialogue::WrongAnswer;
use files::Staged;

use super::output::write_out;
use super::{Failure, doctor};
use crate::cli::{DoctorArgs, SetupArgs};
use crate::manager_conf::random_secret;
use crate::setup::{ACCOUNT, Answers, CONFIGURATION, NAMES, SCRAPE_JOB, Topic, files as texts};

/// Asks, writes, and examines the PBX.
pub(super) fn run(args: &SetupArgs) -> Result<(), Failure> {
    // Before anybody answers for nothing.
    let folder = args.out.clone().unwrap_or_else(default_folder);
    let mut staged = Staged::new(args.force);
    for name in NAMES {
        staged.ensure_free(&folder.join(name))?;
    }
    let mut dialogue = Dialogue::new();
    let answers = answers(args, &mut dialogue)?;
    let files = texts(&answers, &random_secret()?)?;

    let place = place(args, &answers);
    for file in &files {
        staged.add(folder.join(file.name), file)?;
    }
    if args.install {
        let place = place.as_ref().ok_or_else(|| no_place(args, &answers))?;
        let stanza = files.iter().find(|file| file.name == ACCOUNT);
        let stanza = stanza.map(|file| file.text.as_str()).unwrap_or_default();
        place.stage(&mut staged, stanza, answers.username())?;
    }
    let written = staged.write(&folder)?;

    write_out(&list("Written:", written.iter().map(|path| path.display().to_string())))?;
    let is_loaded = args.install && machine::asterisk(&["-rx", RELOAD]).is_some();
    if !is_loaded {
        write_out(&account_steps(args, &answers, place.as_ref(), &folder))?;
    }
    write_out(&next_steps(&folder))?;
    examine(args, &mut dialogue, is_loaded, folder.join(CONFIGURATION))
}

/// The answers: those of flags, and what is asked for.
fn answers(args: &SetupArgs, dialogue: &mut Dialogue) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    // A wrong flag is told before anybody answers for nothing.
    for topic in Topic::ALL {
        if let Some(text) = args.given(topic) {
            take_flag(&mut answers, topic, &text)?;
        }
    }

    for topic in Topic::ALL.into_iter().filter(|&topic| args.given(topic).is_none()) {
        propose(&mut answers, topic);
        if !args.defaults && is_asked(topic, &answers) {
            dialogue.ask(topic, &mut answers)?;
        } else if answers.default_of(topic).is_none() {
            let text = format!("{}: not given, and not found on this machine", topic.flag());
            return Err(WrongAnswer(text).into());
        }
    }
    Ok(answers)
}

fn take_flag(answers: &mut Answers, topic: Topic, text: &str) -> Result<(), Failure> {
    let flag = topic.flag();
    let warnings = answers.take(topic, text);
    let warnings = warnings.map_err(|message| WrongAnswer(format!("{flag}: {message}")))?;
    warnings.iter().for_each(|warning| eprintln!("{flag}: warning: {warning}"));
    Ok(())
}

/// Puts what this machine shows in place of a default.  What is wrong of it is not taken: then there
/// is a question without a proposal.
fn propose(answers: &mut Answers, topic: Topic) {
    let endpoint = answers.endpoint().clone();
    let is_here = endpoint.is_loopback();
    let found = match topic {
        Topic::Asterisk if is_here => machine::version(),
        Topic::Asterisk => machine::version_of_greeting(&endpoint),
        Topic::Name if !is_here => Some(endpoint.host),
        Topic::Permit if !is_here => machine::own_address(&endpoint).map(|it| it.to_string()),
        // What connects from this machine over IPv6 has no address of IPv4.
        Topic::Permit if endpoint.host == "::1" => Some(endpoint.host),
        _ => None,
    };
    if let Some(found) = found {
        let _ = answers.take(topic, &found);
    }
}

/// A name of the account is as good as any, and a PBX on this machine is reached over its loopback.
fn is_asked(topic: Topic, answers: &Answers) -> bool {
    match topic {
        Topic::Username => false,
        Topic::Permit => !answers.endpoint().is_loopback(),
        _ => true,
    }
}

/// Where the account belongs, if the PBX is on this machine.
fn place(args: &SetupArgs, answers: &Answers) -> Option<Place> {
    answers.endpoint().is_loopback().then(|| Place::find(&args.asterisk_etc)).flatten()
}

fn no_place(args: &SetupArgs, answers: &Answers) -> Failure {
    if !answers.endpoint().is_loopback() {
        let address = answers.endpoint();
        return format!("--install: the PBX at {address} is not on this machine").into();
    }
    format!("--install: {}: not readable", args.asterisk_etc.join("manager.conf").display()).into()
}

/// Where the files go by default: where the unit of systemd expects the configuration, if we may.
fn default_folder() -> PathBuf {
    let folder = if machine::is_root() { SYSTEM_FOLDER } else { "." };
    PathBuf::from(folder)
}

/// How the account comes to the PBX.
fn account_steps(
    args: &SetupArgs,
    answers: &Answers,
    place: Option<&Place>,
    folder: &Path,
) -> String {
    let account = folder.join(ACCOUNT);
    let reload = format!("asterisk -rx '{RELOAD}'");
    if args.install {
        return list("Asterisk did not reload its manager accounts.  As root:", [reload]);
    }
    if let Some(place) = place {
        let commands = place.commands(&account).into_iter().chain([reload]);
        return list("The PBX does not know the account yet.  As root:", commands);
    }

    let (account, pbx) = (account.display(), answers.endpoint());
    let append = format!(
        "append {account} to /etc/asterisk/manager.conf, on FreePBX and Issabel to manager_custom.conf"
    );
    let encrypt = "over a network, encrypt the connection: docs/tls.md".to_owned();
    let encrypt = (!pbx.is_loopback()).then_some(encrypt);
    let steps = [append, reload].into_iter().chain(encrypt);
    list(&format!("The PBX at {pbx} does not know the account yet.  There:"), steps)
}

fn next_steps(folder: &Path) -> String {
    let config = account::word(&folder.join(CONFIGURATION));
    let job = folder.join(SCRAPE_JOB);
    let start = if folder == Path::new(SYSTEM_FOLDER) && machine::has_service() {
        "systemctl enable --now asterisk_exporter".to_owned()
    } else {
        format!("asterisk_exporter --config {config}")
    };
    let start = list("To start the exporter:", [start]);
    let job = format!("prometheus.yml: the job of {}", job.display());
    format!("{start}{}", list("Prometheus:", [job]))
}

/// Runs the doctor if the PBX may know the account, or says how to.
fn examine(
    args: &SetupArgs,
    dialogue: &mut Dialogue,
    is_loaded: bool,
    config: PathBuf,
) -> Result<(), Failure> {
    let later = format!("asterisk_exporter doctor --config {}", account::word(&config));
    let is_run = !args.no_doctor && (is_loaded || !args.defaults && dialogue.is_loaded());
    if !is_run {
        return write_out(&list("When the PBX knows the account:", [later]));
    }

    write_out("\n")?;
    let config = Some(config);
    doctor::run(DoctorArgs { config, pbx: None, watch: args.watch, json: false })
}

/// A heading and the lines below it.
fn list(heading: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines: String = lines.into_iter().map(|line| format!("  {line}\n")).collect();
    format!("{heading}\n{lines}")
}

impl SetupArgs {
    /// The answer that a flag gives.
    fn given(&self, topic: Topic) -> Option<String> {
        match topic {
            Topic::Address => self.address.clone(),
            Topic::Name => self.name.clone(),
            Topic::Asterisk => self.asterisk.clone(),
            Topic::Permit => self.permit.clone(),
            Topic::Username => self.username.clone(),
            Topic::Trunks => (!self.trunks.is_empty()).then(|| self.trunks.join(" ")),
            Topic::ServiceLevel => self.service_level.clone(),
            Topic::ListenAddress => self.listen_address.clone(),
        }
    }
}

/// Where the unit of systemd expects the configuration.
const SYSTEM_FOLDER: &str = "/etc/asterisk_exporter";
const RELOAD: &str = "manager reload";
