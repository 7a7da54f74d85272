//! The command `manager-conf`: the account to paste.

use super::Failure;
use super::output::write_out;
use crate::cli::ManagerConfArgs;
use crate::manager_conf::{Account, manager_conf, random_secret};

/// Prints an account with a new secret.
pub(super) fn run(args: &ManagerConfArgs) -> Result<(), Failure> {
    let ManagerConfArgs { asterisk, username, permit, tls } = args;
    let secret = random_secret()?;
    let account = Account { username, secret: &secret, permit, tls: *tls };
    write_out(&manager_conf(*asterisk, &account)?)
}
