//! The greeting and the login.

use std::time::Duration;

use tokio::time::timeout;

use super::end::End;
use super::opening::reply;
use super::place::Place;
use super::wire::Wire;
use crate::ami::action::{Action, challenge_key};
use crate::ami::frame::{BANNER, Item, quoted};
use crate::config::Pbx;
use crate::intake::Opening;
use crate::version::is_too_old;

/// Waits for the greeting and tells the version of the manager interface: `5.0.4`.
///
/// # Errors
/// Nothing came in time, or it is not the greeting of an Asterisk we can talk to.
pub(super) async fn greeting(wire: &mut Wire, limit: Duration) -> Result<String, End> {
    let ami = timeout(limit, banner(wire))
        .await
        .map_err(|_| End::Timeout { what: "greeting of a manager interface", limit })??;
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
    wire: &mut Wire,
    opening: &mut Opening,
    place: &Place,
    pbx: &Pbx,
) -> Result<(), End> {
    let id = wire.send(&Action::Challenge).await?;
    let challenge = reply(opening, wire, place, &id).await?;
    let username = pbx.username.as_str();
    let id = match challenge.granted("Challenge") {
        Some(challenge) => {
            let key = challenge_key(challenge.as_bytes(), pbx.secret.expose());
            wire.send(&Action::LoginMd5 { username, key: &key, events: EVENTS }).await?
        }
        None if pbx.plain_login => {
            wire.send(&Action::LoginPlain { username, secret: pbx.secret.expose(), events: EVENTS })
                .await?
        }
        None => {
            return Err(End::Auth(format!(
                "no MD5 challenge ({}), and plain_login is off",
                challenge.message()
            )));
        }
    };
    let answer = reply(opening, wire, place, &id).await?;
    if answer.is_accepted() { Ok(()) } else { Err(End::Auth(answer.message())) }
}

/// The greeting is the only line without a blank line behind it, and what is not Asterisk may send
/// anything: it is looked at before the decoder gets it.
async fn banner(wire: &mut Wire) -> Result<String, End> {
    let mut head = Vec::new();
    loop {
        let chunk = match wire.receive().await {
            Err(End::Closed) if !head.is_empty() => return Err(stranger(&head)),
            other => other?,
        };
        head.extend_from_slice(&chunk.bytes);
        wire.accept(chunk);
        let compared = head.len().min(BANNER.len());
        if head[..compared] != BANNER[..compared] || head.len() > LONGEST && !head.contains(&b'\n')
        {
            return Err(stranger(&head));
        }
        if let Some(Item::Banner(version)) = wire.next_item() {
            return Ok(quoted(version.trim_ascii()));
        }
    }
}

fn stranger(head: &[u8]) -> End {
    End::Protocol(format!(
        "not an AMI server: {}",
        quoted(head[..head.len().min(SHOWN)].trim_ascii_end())
    ))
}

/// A greeting has about 30 bytes.
const LONGEST: usize = 256;

/// Enough of a stranger's greeting to know it by.
const SHOWN: usize = 40;

/// Everything the exporter can use.  An event comes only if all its classes are in here and in the
/// account's `read`, so what an account may not read costs nothing.
const EVENTS: &str = "system,call,agent,dialplan,reporting";
