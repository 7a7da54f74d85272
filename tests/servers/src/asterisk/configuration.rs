//! The configuration of a server: what all have, and what a test's plan adds.

use std::fs;
use std::path::Path;

use support::program;

use super::pbx::{Plan, Version};

/// Of every account here.
pub(crate) const SECRET: &str = "loopback";

/// Writes all files that a server reads.
pub(crate) fn write(version: Version, net: &str, place: &Path, etc: &Path, plan: &Plan) {
    let file =
        |name: &str, text: &str| fs::write(etc.join(name), text).expect("a configuration file");
    let at = place.display();
    let own = fs::read_to_string(version.root().join("etc/asterisk/asterisk.conf"))
        .expect("Debian's asterisk.conf");
    let kept = own.lines().filter(|line| {
        ["astmoddir", "astdatadir", "astagidir", "astsbindir"]
            .iter()
            .any(|key| line.starts_with(key))
    });
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    file(
        "asterisk.conf",
        &format!(
            "[directories]\nastetcdir => {at}/etc\nastrundir => {at}/run\nastlogdir => {at}/log\nastspooldir => \
             {at}/spool\nastvarlibdir => {at}/lib\nastkeydir => {at}/lib\nastdbdir => {at}/db\n{kept}[options]\nverbose = \
             0\ndebug = 0\n"
        ),
    );

    file("modules.conf", &modules(version));
    file("logger.conf", "[general]\nqueue_log=yes\n[logfiles]\nmessages => notice,warning,error\n");
    file(
        "cdr.conf",
        "[general]\nenable=yes\nunanswered=yes\n[csv]\nusegmtime=yes\nloguniqueid=yes\n",
    );

    file("rtp.conf", "[general]\nrtpstart=20000\nrtpend=23999\n");
    file(
        "features.conf",
        "[general]\ntransferdigittimeout=5\natxfernoanswertimeout=20\n[featuremap]\nblindxfer => #1\natxfer => *2\nparkcall => *3\n",
    );

    file(
        "agents.conf",
        "[general]\n[pooled]\nfullname=Pat Page\nackcall=no\n[starred]\nfullname=Star Page\nackcall=no\n\
         wrapuptime=0\n",
    );

    file("musiconhold.conf", "[general]\n");
    file("confbridge.conf", "[general]\n");
    file(
        "res_parking.conf",
        "[general]\n[default]\nparkext => 650\nparkpos => 651-698\ncontext => parkedcalls\nparkingtime => 4\n\
         comebacktoorigin => yes\ncomebackdialtime => 20\n",
    );

    file(
        "queues.conf",
        &format!(
            "[general]\npersistentmembers=no\nautofill=yes\nmonitor-type=MixMonitor\nshared_lastcall=yes\n\
             log_unpause_on_reason_change=yes\n{}",
            plan.queues
        ),
    );

    file("extensions.conf", &format!("[general]\nstatic=yes\nwriteprotect=yes\n{}", plan.dialplan));
    let more = plan.accounts.replace("@NET@", net).replace("@ETC@", &format!("{at}/etc"));
    file("manager.conf", &format!("{}{more}", accounts(version, net)));
    for (name, text) in &plan.files {
        file(name, text);
    }

    match version {
        Version::V16 => file("sip.conf", &(chan_sip(net, &plan.phones) + &plan.sip)),
        Version::V22 => file("pjsip.conf", &(pjsip(net, &plan.phones) + &plan.sip)),
    }
}

/// The exporter's account is the one that `manager-conf` prints, with every step of the dialplan to
/// see.  It also opens the interface, which is closed as in Asterisk's own example, and turns the
/// time stamps on.
fn accounts(version: Version, net: &str) -> String {
    let permit = "127.0.0.0/255.0.0.0";
    let printed =
        program::run(&["manager-conf", "--asterisk", &version.full(), "--permit", permit]);
    assert!(printed.status.success(), "manager-conf: {printed:?}");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let mut account = String::new();

    for line in printed.lines() {
        if line.starts_with("secret = ") {
            account.push_str(&format!("secret = {SECRET}\n"));
            continue;
        }
        // The commented choice of the filter: all of Newexten, so that redirected callers are recognised.
        let chosen = line.strip_prefix(";eventfilter").map(|rest| format!("eventfilter{rest}"));
        account.push_str(&format!("{}\n", chosen.as_deref().unwrap_or(line)));
    }

    format!(
        "[general]\nenabled=no\nport=5038\nbindaddr={net}.1\n{account}\n[ctl]\nsecret={SECRET}\n\
         permit={permit}\nread=all\nwrite=all\nwritetimeout=60000\n"
    )
}

/// Nothing that opens a socket of its own, and nothing the tests do not use.
fn modules(version: Version) -> String {
    let mut text = String::from("[modules]\nautoload=yes\n");
    let unused = [
        "chan_iax2",
        "chan_unistim",
        "chan_mgcp",
        "chan_skinny",
        "chan_alsa",
        "chan_oss",
        "chan_console",
        "chan_motif",
        "chan_audiosocket",
        "chan_websocket",
        "chan_dahdi",
        "pbx_dundi",
        "res_snmp",
        "res_xmpp",
        "res_corosync",
        "res_phoneprov",
        "res_calendar",
        "res_timing_pthread",
        "res_resolver_unbound",
        "res_prometheus",
        "res_http_websocket_client",
    ];
    for module in unused {
        text.push_str(&format!("noload = {module}.so\n"));
    }

    if version == Version::V16 {
        let folder = version.root().join("usr/lib/asterisk/modules");
        for entry in fs::read_dir(folder).expect("the modules") {
            let name = entry.expect("a module").file_name().to_string_lossy().into_owned();
            if name.contains("pjsip") {
                text.push_str(&format!("noload = {name}\n"));
            }
        }
    }

    text
}

fn chan_sip(net: &str, phones: &[(String, u16)]) -> String {
    let mut text = format!(
        "[general]\nudpbindaddr={net}.1:5060\ntcpenable=no\nallowguest=no\ncontext=default\ndirectmedia=no\ndisallow=all\n\
         allow=ulaw\ndtmfmode=info\nsrvlookup=no\nsession-timers=refuse\n"
    );

    for (name, host) in [("trunk", 2), ("carrier", 4)] {
        text.push_str(&format!(
            "[{name}]\ntype=peer\nhost={net}.{host}\nport=5070\ninsecure=port,invite\ncontext=from-trunk\n"
        ));
    }

    for (device, port) in phones {
        let host = if *port == 0 { "dynamic".to_owned() } else { format!("{net}.3\nport={port}") };
        text.push_str(&format!(
            "[{device}]\ntype=friend\nhost={host}\ninsecure=port,invite\ncontext=from-agents\ncallcounter=yes\n"
        ));
    }

    text
}

fn pjsip(net: &str, phones: &[(String, u16)]) -> String {
    let mut text = format!(
        "[global]\ntype=global\nendpoint_identifier_order=ip,username\n[lo]\ntype=transport\nprotocol=udp\n\
         bind={net}.1:5060\n[common](!)\ntype=endpoint\ntransport=lo\ndisallow=all\nallow=ulaw\ndtmf_mode=info\n\
         direct_media=no\nmedia_address={net}.1\nbind_rtp_to_media_address=yes\n[trunk](common)\ncontext=from-trunk\n\
         aors=trunk\n[trunk]\ntype=aor\ncontact=sip:{net}.2:5070\n[trunk]\ntype=identify\nendpoint=trunk\n\
         match={net}.2\n[carrier](common)\ncontext=from-trunk\naors=carrier\n[carrier]\ntype=aor\n\
         contact=sip:{net}.4:5070\n"
    );

    for (device, port) in phones {
        let contact = if *port == 0 {
            String::new()
        } else {
            format!("contact=sip:{device}@{net}.3:{port}\n")
        };
        text.push_str(&format!(
            "[{device}](common)\ncontext=from-agents\naors={device}\ndevice_state_busy_at=1\n[{device}]\ntype=aor\n{contact}"
        ));
    }

    text
}
