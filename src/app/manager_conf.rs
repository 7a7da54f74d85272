//! The command `manager-conf`: the account to paste.

use super::Failure;
use super::output::write_out;
use crate::cli::ManagerConfArgs;
use crate::manager_conf::{manager_conf, random_secret};

/// Prints an account with a new secret.
pub(super) fn run(args: &ManagerConfArgs) -> Result<(), Failure> {
    write_out(&manager_conf(args.asterisk, &args.username, &random_secret()?, &args.permit)?)
}
