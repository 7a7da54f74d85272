//! The greeting and the login.

use tokio::time::timeout;

use super::dialogue::Dialogue;
use super::end::End;
use crate::ami::action::{Action, challenge_key};
use crate::ami::frame::{BANNER, quoted};
use crate::config::{Pbx, Secret};
use crate::version::is_too_old;

/// Waits for the greeting and gives the version of the manager interface: `5.0.4`.
///
/// # Errors
/// Nothing came in time, or it is not the greeting of an Asterisk we can talk to.
pub(super) async fn greeting(dialogue: &mut Dialogue<'_>, pbx: &Pbx) -> Result<String, End> {
    let limit = pbx.connect_timeout;
    let encrypted = pbx.tls.is_some();
    let ami =
        timeout(limit, banner(dialogue)).await.map_err(|_| End::Silent { limit, encrypted })??;
    if is_too_old(&ami) {
        return Err(End::Protocol(format!(
            "Asterisk 11 or older (AMI {ami}) is not supported: its queue events lack what the exporter needs; \
             update it to 12 or newer"
        )));
    }
    Ok(ami)
}

/// Logs in: by challenge, and with the secret in clear only where that is both needed and allowed.
///
/// # Errors
/// The session is over.
pub(super) async fn log_in(
    dialogue: &mut Dialogue<'_>,
    pbx: &Pbx,
    secret: &Secret,
) -> Result<(), End> {
    let challenge = dialogue.ask(&Action::Challenge).await?;

    let username = pbx.username.as_str();
    let answer = match challenge.granted("Challenge") {
        Some(challenge) => {
            let key = challenge_key(challenge.as_bytes(), secret.expose());
            dialogue.ask(&Action::LoginMd5 { username, key: &key, events: EVENTS }).await?
        }
        None if pbx.plain_login => {
            let secret = secret.expose();
            dialogue.ask(&Action::LoginPlain { username, secret, events: EVENTS }).await?
        }
        None => {
            return Err(End::Auth(format!(
                "no MD5 challenge ({}), and plain_login is off",
                challenge.message()
            )));
        }
    };

    if answer.is_accepted() { Ok(()) } else { Err(End::Auth(answer.message())) }
}

/// The greeting is the only line without a blank line behind it, and what is not Asterisk may send
/// anything: it is looked at before the decoder gets it.
async fn banner(dialogue: &mut Dialogue<'_>) -> Result<String, End> {
    let mut head = Vec::new();
    loop {
        let chunk = match dialogue.wire.receive().await {
            Err(End::Closed) if !head.is_empty() => return Err(not_ami(&head)),
            other => other?,
        };
        head.extend_from_slice(&chunk.bytes);
        dialogue.wire.accept(chunk);

        let compared = head.len().min(BANNER.len());
        if head[..compared] != BANNER[..compared] {
            return Err(not_ami(&head));
        }
        if let Some(ami) = dialogue.greet()? {
            return Ok(ami);
        }
        // A line feed alone ends no greeting.
        if head.len() > LONGEST {
            return Err(not_ami(&head));
        }
    }
}

fn not_ami(head: &[u8]) -> End {
    // A record with an alert, as a server of TLS may send before it closes.
    if head.starts_with(&[0x15, 0x03]) {
        return End::Protocol(
            "the pbx answered with TLS: this port needs tls: true in the configuration".to_owned(),
        );
    }
    End::Protocol(format!(
        "not an AMI server: {}",
        quoted(head[..head.len().min(SHOWN)].trim_ascii_end())
    ))
}

/// A greeting has about 30 bytes.
const LONGEST: usize = 256;

/// Enough of another server's greeting to recognise it by.
const SHOWN: usize = 40;

/// Everything the exporter can use.  An event comes only if all its classes are in here and in the
/// account's `read`, so what an account may not read costs nothing.
const EVENTS: &str = "system,call,agent,dialplan,reporting";
