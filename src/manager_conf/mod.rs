//! The manager account the exporter needs, for `manager.conf`: no right more, and no event it would
//! only skip.
//!
//! What an account must look like differs between versions: how events are filtered, and whether
//! recordings have events of their own.

use std::fmt::{self, Write};

use thiserror::Error;

use crate::version::{NEWEST, OLDEST, Version};

/// Why there is no account to print.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum AccountError {
    /// The events of this version have other names and lack ids.
    #[error(
        "Asterisk {0} is not supported: its queue events lack what the exporter needs; update it to 12 or newer"
    )]
    TooOld(Version),
    /// A line break or the like would end the line in `manager.conf`.  The value itself may be the
    /// secret.
    #[error("{0} is empty or holds a character that manager.conf cannot hold")]
    Unwritable(&'static str),
}

/// A secret for an account, of 130 random bits, without a character that `manager.conf`, YAML or a
/// shell reads.
///
/// # Errors
/// The system gives no random bytes.
pub fn random_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 26];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

/// What is chosen of an account.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Its name.
    pub username: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The exporter's address as `address/mask`.
    pub permit: &'a str,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// The account as text for `manager.conf`.
///
/// # Errors
/// A version older than 12, or a name, secret or address that does not fit on one line.
pub fn manager_conf(version: Version, account: &Account<'_>) -> Result<String, AccountError> {
    if !version.is_supported() {
        return Err(AccountError::TooOld(version));
    }
    let username = section_name(account.username)?;
    let secret = line("secret", account.secret)?;
    let permit = line("permit", account.permit)?;
    let account =
        Account { username: &username, secret: &secret, permit: &permit, tls: account.tls };
    let mut text = String::new();
    write_account(&mut text, version, &account).map_err(|_| AccountError::Unwritable("account"))?;
    Ok(text)
}

fn write_account(out: &mut String, version: Version, account: &Account<'_>) -> fmt::Result {
    let Account { username, secret, permit, tls } = account;
    let read =
        if version.has_mixmonitor_events() { READ.to_owned() } else { format!("{READ},reporting") };

    writeln!(
        out,
        "; For Asterisk {version}: at the end of /etc/asterisk/manager.conf; on FreePBX, which writes that file itself,"
    )?;
    writeln!(out, "; of /etc/asterisk/manager_custom.conf.  Then: asterisk -rx 'manager reload'")?;
    writeln!(out)?;
    if version.is_newer_than_checked() {
        writeln!(
            out,
            "; This is newer than what was checked, {OLDEST} to {NEWEST}: the account is that of {NEWEST}."
        )?;
        writeln!(out)?;
    }

    write_general(out, *tls)?;
    writeln!(out)?;

    writeln!(out, "[{username}]")?;
    writeln!(
        out,
        "; The same goes into the exporter's configuration, as secret or into a secret_file."
    )?;
    writeln!(out, "secret = {secret}")?;
    writeln!(out, "deny = 0.0.0.0/0.0.0.0")?;
    writeln!(out, "deny = ::/0")?;
    writeln!(out, "permit = {permit}")?;

    writeln!(
        out,
        "; Channels, dials, bridges and hangups are of class call, queues and members of agent, VarSet and Newexten"
    )?;
    writeln!(out, "; of dialplan, start and shutdown, registrations and peers of system.")?;
    if !version.has_mixmonitor_events() {
        writeln!(
            out,
            "; This version reports recordings only by a TestEvent of class reporting, if it was built to send any; the"
        )?;
        writeln!(out, "; filter removes the RTCP reports of that class.")?;
    }
    writeln!(out, "read = {read}")?;
    writeln!(
        out,
        "; CoreShowChannels, CoreSettings, ExtensionStateList and the lists of trunks and phones need it, which change nothing."
    )?;
    writeln!(
        out,
        "; It also allows actions that do, and every account is allowed some, and one of the lists has passwords of trunks"
    )?;
    writeln!(out, "; (SECURITY.md): the address above is as important as the secret.")?;
    writeln!(out, "write = reporting")?;

    writeln!(
        out,
        "; The default of 100 ms closes the connection at the first delay of the network, and loses what is pending."
    )?;
    writeln!(out, "writetimeout = 5000")?;
    writeln!(out, "; For two exporters, or a new one that starts before the old one has stopped.")?;
    writeln!(out, "allowmultiplelogin = yes")?;
    writeln!(out, "displayconnects = no")?;

    write_filter(out, version)
}

/// The settings of all accounts.  Asterisk takes the first [general] only, and adds sections with
/// `(+)` to it; of a duplicate setting the last one is used.
fn write_general(out: &mut String, tls: bool) -> fmt::Result {
    writeln!(
        out,
        "; Added to the section [general] that is there: Asterisk ignores a second one without the (+).  Only if there"
    )?;
    writeln!(out, "; is none at all, leave the (+) out.")?;
    writeln!(out, "[general](+)")?;
    writeln!(out, "enabled = yes")?;

    writeln!(
        out,
        "; Without it, times are those at which events were read: good to some milliseconds on a quiet link."
    )?;
    writeln!(out, "timestampevents = yes")?;

    write_tls(out, tls)?;
    writeln!(
        out,
        "; The port is 5038, on every address, unless your [general] sets another.  If the exporter is the only client"
    )?;
    writeln!(out, "; and runs on this machine:")?;
    writeln!(out, ";bindaddr = 127.0.0.1")?;
    writeln!(
        out,
        "; Events named by disabledevents there, or declined in stasis.conf, reach no client: name none of these."
    )
}

/// The same lines as in docs/tls.md, which says how to make the certificate; as comments if they are
/// not asked for.
fn write_tls(out: &mut String, asked: bool) -> fmt::Result {
    let (why, comment) = if asked {
        ("The exporter's configuration needs tls as well: docs/tls.md.", "")
    } else {
        ("For an exporter on another machine, encrypt: docs/tls.md has the rest.", ";")
    };

    writeln!(out, "; {why}")?;
    for line in TLS {
        writeln!(out, "{comment}{line}")?;
    }
    Ok(())
}

fn write_filter(out: &mut String, version: Version) -> fmt::Result {
    writeln!(
        out,
        "; Only what the exporter reads; an event that any of these lines matches is sent."
    )?;
    if version.filters_by_name() {
        return write_filter_by_name(out, version);
    }

    for group in GROUPS {
        if version.has_extended_filters() {
            writeln!(out, "eventfilter = ^Event: ({})[[:space:]]", group.join("|"))?;
            continue;
        }
        for name in *group {
            writeln!(out, "eventfilter = ^Event: {name}[[:space:]]")?;
        }
    }
    if version.has_mixmonitor_events() {
        writeln!(out, "eventfilter = ^Event: ({})[[:space:]]", RECORDING.join("|"))?;
    } else {
        writeln!(out, "eventfilter = ^Event: TestEvent[[:space:]].*State: MIXMONITOR_END")?;
    }

    writeln!(out, "; {WHY_VARIABLES}")?;
    writeln!(out, "; {WHY_VOICE}")?;
    for variable in VARIABLES {
        writeln!(out, "eventfilter = ^Event: VarSet[[:space:]].*Variable: {variable}[[:space:]]")?;
    }

    writeln!(out, "; {WHY_NEWEXTEN}")?;
    writeln!(out, "eventfilter = ^Event: Newexten[[:space:]].*Application: Queue[[:space:]]")?;
    write_newexten_choice(out, "eventfilter = ^Event: Newexten[[:space:]]")
}

fn write_filter_by_name(out: &mut String, version: Version) -> fmt::Result {
    let recording = if version.has_mixmonitor_events() { RECORDING } else { &[] };
    for name in GROUPS.iter().copied().flatten().chain(recording) {
        writeln!(out, "eventfilter(action(include),name({name})) =")?;
    }

    writeln!(out, "; {WHY_VARIABLES}")?;
    writeln!(out, "; {WHY_VOICE}")?;
    for variable in VARIABLES {
        writeln!(
            out,
            "eventfilter(action(include),name(VarSet),header(Variable),method(exact)) = {variable}"
        )?;
    }

    writeln!(out, "; {WHY_NEWEXTEN}")?;
    writeln!(
        out,
        "eventfilter(action(include),name(Newexten),header(Application),method(exact)) = Queue"
    )?;
    write_newexten_choice(out, "eventfilter(action(include),name(Newexten)) =")
}

fn write_newexten_choice(out: &mut String, line: &str) -> fmt::Result {
    writeln!(
        out,
        "; With every step of the dialplan instead, at some ten more events a call, a caller whom the dialplan took"
    )?;
    writeln!(out, "; out of a queue counts as `redirected`; without, as `unserved`.")?;
    writeln!(out, ";{line}")
}

/// A `;` begins a comment in Asterisk's files unless a backslash precedes it.
fn line(what: &'static str, text: &str) -> Result<String, AccountError> {
    // A backslash of its own before a `;` would be eaten, and a blank at an end stripped.
    if text.is_empty()
        || text.trim() != text
        || text.contains(char::is_control)
        || text.contains("\\;")
    {
        return Err(AccountError::Unwritable(what));
    }
    Ok(text.replace(';', "\\;"))
}

fn section_name(username: &str) -> Result<String, AccountError> {
    if username.contains(['[', ']', '(', ')', ';']) || username.eq_ignore_ascii_case("general") {
        return Err(AccountError::Unwritable("username"));
    }
    line("username", username)
}

/// Letters that cannot be mistaken for each other.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const READ: &str = "system,call,agent,dialplan";

const TLS: &[&str] = &[
    "tlsenable = yes",
    "tlsbindaddr = 0.0.0.0:5039",
    "tlscertfile = /etc/asterisk/keys/asterisk.crt",
    "tlsprivatekey = /etc/asterisk/keys/asterisk.key",
];

/// The events needed whole, a filter line each group.
const GROUPS: &[&[&str]] = &[
    &["FullyBooted", "Shutdown"],
    &["Registry", "PeerStatus", "ContactStatus"],
    &["Newchannel", "Hangup", "HangupRequest"],
    &["DialBegin", "DialEnd", "OriginateResponse"],
    &[
        "BridgeEnter",
        "BridgeLeave",
        "LocalBridge",
        "Hold",
        "Unhold",
        "BlindTransfer",
        "AttendedTransfer",
    ],
    &["QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon"],
    &[
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberPause",
        "QueueMemberPenalty",
        "QueueMemberRinginuse",
        "QueueMemberStatus",
    ],
    &["AgentCalled", "AgentConnect", "AgentComplete", "AgentDump", "AgentRingNoAnswer"],
];

const RECORDING: &[&str] = &["MixMonitorStart", "MixMonitorStop"];

const VARIABLES: &[&str] = &["QUEUESTATUS", "QUEUEPOSITION", "RTPAUDIOQOS"];

const WHY_VARIABLES: &str = "QUEUESTATUS distinguishes a timeout from an abandon, QUEUEPOSITION shows that this account sees variables at all,";

const WHY_VOICE: &str = "RTPAUDIOQOS has the voice quality of a channel.";

const WHY_NEWEXTEN: &str = "The queue that refused a caller: no other event names it.";

#[cfg(test)]
mod tests;
