//! Which distribution a PBX is, by contexts that its program writes into the dialplan, and where an
//! account belongs there.

use std::collections::BTreeSet;

use super::{Finding, Level};

/// A program that writes the files of Asterisk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Distribution {
    /// FreePBX, or IssabelPBX, which comes from it: both have the same contexts and files.
    Free,
    Vital,
    Miko,
    Wazo,
}

/// The distribution, with the context that shows it.
pub(super) fn recognise(contexts: &BTreeSet<String>) -> Option<(Distribution, &str)> {
    let shown = |of: Distribution| {
        let context = contexts.iter().find(|context| of.writes(context));
        context.map(|context| (of, context.as_str()))
    };
    Distribution::ALL.into_iter().find_map(shown)
}

/// The finding about it.
pub(super) fn look(recognised: Option<(Distribution, &str)>) -> Option<Finding> {
    let (distribution, context) = recognised?;
    let text =
        format!("{}, by the context {context}: {}", distribution.name(), distribution.rule());
    Some(Finding::new(Level::Ok, "distribution", text))
}

/// Where a line of a section belongs.
pub(super) fn place(recognised: Option<(Distribution, &str)>, section: &str) -> String {
    let Some((distribution, _)) = recognised else { return format!("[{section}] of manager.conf") };
    // To add to the section that another file has.
    let more = if section == "general" { "(+)" } else { "" };
    match distribution {
        Distribution::Free => format!("[{section}]{more} of manager_custom.conf"),
        Distribution::Vital => format!("[{section}]{more} of {VITALPBX_FILE}"),
        Distribution::Wazo => format!("[{section}]{more} of {WAZO_FILE}"),
        Distribution::Miko if section == "general" => {
            "System file customization of MikoPBX, manager.conf, [general](+)".to_owned()
        }
        Distribution::Miko => format!("AMI access of MikoPBX, account {section}"),
    }
}

impl Distribution {
    const ALL: [Self; 4] = [Self::Free, Self::Miko, Self::Vital, Self::Wazo];

    const fn name(self) -> &'static str {
        match self {
            Self::Free => "FreePBX or Issabel",
            Self::Vital => "VitalPBX",
            Self::Miko => "MikoPBX",
            Self::Wazo => "Wazo",
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::Free => {
                "accounts of your own belong in manager_custom.conf, never in manager.conf"
            }
            Self::Vital => {
                "accounts of your own belong in a file manager__….conf in /etc/asterisk/vitalpbx"
            }
            Self::Miko => {
                "it writes manager.conf itself; accounts are those of AMI access in its web interface, without Newexten \
                 unless the account has a filter of its own"
            }
            Self::Wazo => {
                "accounts of your own belong in a file of their own in /etc/asterisk/manager.d"
            }
        }
    }

    /// Whether this program, and none of the others, writes the context.
    fn writes(self, context: &str) -> bool {
        match self {
            Self::Free => FREEPBX.contains(&context),
            Self::Miko => {
                let provider = context.starts_with("SIP-TRUNK-") && context.ends_with("-incoming");
                MIKOPBX.contains(&context) || provider
            }
            Self::Vital => {
                let name = context.strip_prefix('T').and_then(|rest| rest.split_once('_'));
                let is_tenant =
                    |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
                let of_tenant = name.filter(|(tenant, _)| is_tenant(tenant)).map(|(_, name)| name);
                of_tenant.unwrap_or(context) == VITALPBX
            }
            Self::Wazo => WAZO.contains(&context) || is_of_wazo_tenant(context),
        }
    }
}

/// Whether it is a context such as `ctx-acme-incall-8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9e4`: a tenant, a
/// type that older ones lack, and a UUID.
fn is_of_wazo_tenant(context: &str) -> bool {
    let Some(at) = context.len().checked_sub(UUID) else { return false };
    let Some((start, uuid)) = context.split_at_checked(at) else { return false };
    let is_uuid = uuid.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    is_uuid && start.starts_with("ctx-") && start.ends_with('-')
}

/// FreePBX/core, release/16.0 of 2024 (functions.inc.php, Dialplan/macroDialone.php,
/// agi-bin/user_login_out.agi) and IssabelFoundation/issabelPBX of April 2026 (core/functions.inc.php)
/// have all of them.  `from-internal` is no proof: tutorials for a plain Asterisk have it, too.  Both
/// ship a manager.conf with `#include manager_custom.conf` (framework/amp_conf/astetc/manager.conf).
const FREEPBX: &[&str] =
    &["ext-local", "ext-queues", "from-internal-xfer", "from-queue", "macro-dial-one"];

/// mikopbx/Core of April 2026: Generators/Extensions/InternalContexts.php, SIPConf.php and QueueConf.php
/// (`Local/201@internal/n`, `hint:201@internal-hints`).  Its ManagerConf.php writes manager.conf with
/// time stamps, and for each account of the database `eventfilter=!Event: Newexten` unless it has
/// filters.
const MIKOPBX: &[&str] = &["all_peers", "internal-hints", "internal-num-undefined"];

/// The context of the phones that VitalPBX/VitalPBX-Stress-Test adds (stress-test.sh); with several
/// tenants the names begin with `T2_` or the like.
const VITALPBX: &str = "cos-all";
/// As VitalPBX/vitalpbx_add_application_server names the file of the account that it adds:
/// manager__50-astboard-user.conf.
const VITALPBX_FILE: &str = "/etc/asterisk/vitalpbx/manager__60-exporter.conf";

/// wazo-platform of 2026: wazo-agentd and xivo-dao have the members `Local/id-7@agentcallback` and
/// `Local/UUID@usersharedlines`, wazo-confd (plugins/context/resource.py) the contexts of tenants.  The
/// manager.conf of wazo-asterisk-config includes each file of manager.d; `[general]` is in
/// 99-general.conf, and names that begin with a letter come behind it.
const WAZO: &[&str] = &["agentcallback", "usersharedlines"];
const WAZO_FILE: &str = "/etc/asterisk/manager.d/asterisk_exporter.conf";
/// Characters of a UUID.
const UUID: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(contexts: &[&str]) -> Option<Distribution> {
        let contexts = contexts.iter().map(|&context| context.to_owned()).collect();
        recognise(&contexts).map(|(distribution, _)| distribution)
    }

    #[test]
    fn each_is_known_by_contexts_of_its_own() {
        for (contexts, distribution) in [
            (&["from-internal", "from-trunk", "from-pstn", "default", "internal"][..], None),
            (&["T_cos-all", "Tx_cos-all", "T2_cos", "my-incoming", "SIP-TRUNK-1"], None),
            (&["from-queue"], Some(Distribution::Free)),
            (&["default", "ext-local"], Some(Distribution::Free)),
            (&["cos-all"], Some(Distribution::Vital)),
            (&["T12_cos-all"], Some(Distribution::Vital)),
            (&["internal-hints"], Some(Distribution::Miko)),
            (&["SIP-TRUNK-4F2-incoming"], Some(Distribution::Miko)),
            (&["agentcallback"], Some(Distribution::Wazo)),
            (&["usersharedlines"], Some(Distribution::Wazo)),
            (&["ctx-acme-incall-8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9e4"], Some(Distribution::Wazo)),
            (&["ctx-acme-8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9e4"], Some(Distribution::Wazo)),
            (&["ctx-acme-incall-8a7f3c52+1d0e-4b6f-9a55-2f1be6c0d9e4"], None),
            (&["ctx-acme-incall-8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9eg"], None),
            (&["x-acme-incall-8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9e4"], None),
            (&["ctx-acmé8a7f3c52-1d0e-4b6f-9a55-2f1be6c0d9e4", "ctx-incall-"], None),
        ] {
            assert_eq!(recognised(contexts), distribution, "{contexts:?}");
        }
    }

    #[test]
    fn a_line_has_its_file_there() {
        for (distribution, general, account) in [
            (None, "[general] of manager.conf", "[me] of manager.conf"),
            (
                Some(Distribution::Free),
                "[general](+) of manager_custom.conf",
                "[me] of manager_custom.conf",
            ),
            (
                Some(Distribution::Vital),
                "[general](+) of /etc/asterisk/vitalpbx/manager__60-exporter.conf",
                "[me] of /etc/asterisk/vitalpbx/manager__60-exporter.conf",
            ),
            (
                Some(Distribution::Miko),
                "System file customization of MikoPBX, manager.conf, [general](+)",
                "AMI access of MikoPBX, account me",
            ),
            (
                Some(Distribution::Wazo),
                "[general](+) of /etc/asterisk/manager.d/asterisk_exporter.conf",
                "[me] of /etc/asterisk/manager.d/asterisk_exporter.conf",
            ),
        ] {
            let recognised = distribution.map(|distribution| (distribution, "x"));
            assert_eq!(place(recognised, "general"), general);
            assert_eq!(place(recognised, "me"), account);
        }
    }
}
