//! The landing page: the PBXs, the state of their sessions, and what to do about one that is down.

use std::fmt::{self, Display, Write};

use super::Pages;
use super::duration::in_words;
use crate::build_info::HOMEPAGE;
use crate::calendar::utc;
use crate::clock::Moment;
use crate::health::{Explanation, PbxHealth, Phase, explain};

/// Nothing but our own style may be loaded, run, framed or sent anywhere.  The hash is that of
/// [`STYLE`].
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-xTJr8zPpDlLY30HAyPqXpJ0Mjsh4Tekugm7j0KMCJIg='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page as HTML.
pub(super) fn page(pages: &Pages) -> String {
    let mut html = String::with_capacity(4096);
    // Writing to a String cannot fail.
    let _ = write(&mut html, pages);
    html
}

fn write(html: &mut String, pages: &Pages) -> fmt::Result {
    let pbxs = pages.health.all();
    let now = pages.clock.now();

    writeln!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>asterisk_exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>asterisk_exporter</h1>\n\
         <p>Prometheus metrics of calls, queues and agents on Asterisk. Version {}.</p>",
        env!("CARGO_PKG_VERSION")
    )?;
    // What is wrong stands below the table that shows that something is.
    write_links(html, pages)?;
    write_table(html, &pbxs, now)?;
    write_notices(html, &pbxs)?;
    write_advice(html, &pbxs)?;
    write_missing(html, &pbxs)?;
    html.write_str("</main>\n</body>\n</html>\n")
}

/// Relative, so that they work behind a proxy that adds a prefix.
fn write_links(html: &mut String, pages: &Pages) -> fmt::Result {
    html.write_str("<nav aria-label=\"Pages\">\n<ul>\n")?;
    if pages.wallboard.is_some() {
        html.write_str(
            "<li><a href=\"./wallboard\">Wallboard</a>: queues and agents, live</li>\n",
        )?;
    }
    writeln!(
        html,
        "<li><a href=\".{}\">Metrics</a></li>\n\
         <li><a href=\"./-/healthy\">Healthy</a>: this process answers</li>\n\
         <li><a href=\"./-/ready\">Ready</a>: every PBX is synchronised</li>",
        Escaped(&pages.telemetry_path)
    )?;
    write_documentation(html, HOMEPAGE)?;
    html.write_str("</ul>\n</nav>\n")
}

/// A build of which nobody said where its documentation is has no link to it.
fn write_documentation(html: &mut String, homepage: Option<&str>) -> fmt::Result {
    let Some(address) = homepage else { return Ok(()) };
    writeln!(html, "<li><a href=\"{}\">Documentation</a></li>", Escaped(address))
}

fn write_table(html: &mut String, pbxs: &[PbxHealth], now: Moment) -> fmt::Result {
    html.write_str(
        "<div class=\"wide\">\n<table>\n<caption>Configured PBXs</caption>\n<thead>\n<tr><th scope=\"col\">Name</th>\
         <th scope=\"col\">Address</th><th scope=\"col\">State</th><th scope=\"col\">Asterisk</th>\
         <th scope=\"col\">Since</th></tr>\n</thead>\n<tbody>\n",
    )?;

    for pbx in pbxs {
        writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td></tr>",
            Escaped(pbx.name.as_str()),
            Escaped(&pbx.address),
            pbx.phase.word(),
            pbx.phase.word(),
            Escaped(pbx.asterisk.as_deref().unwrap_or("not known yet")),
            Since(pbx, now)
        )?;
    }
    html.write_str("</tbody>\n</table>\n</div>\n")
}

/// What the numbers of PBXs lack; nothing if they are whole.
fn write_notices(html: &mut String, pbxs: &[PbxHealth]) -> fmt::Result {
    for pbx in pbxs.iter().filter(|pbx| !pbx.notices.is_empty()) {
        writeln!(
            html,
            "<section>\n<h2>What {} does not report</h2>\n<ul>",
            Escaped(pbx.name.as_str())
        )?;
        for notice in pbx.notices.values() {
            writeln!(html, "<li>{}</li>", Escaped(notice))?;
        }
        html.write_str("</ul>\n</section>\n")?;
    }
    Ok(())
}

/// Why PBXs are not connected, and what to do about it; nothing if all are up.
fn write_advice(html: &mut String, pbxs: &[PbxHealth]) -> fmt::Result {
    let mut troubled = pbxs.iter().filter_map(|pbx| Some((pbx, pbx.trouble.as_ref()?))).peekable();
    if troubled.peek().is_none() {
        return Ok(());
    }

    html.write_str("<section>\n")?;
    for (pbx, trouble) in troubled {
        writeln!(
            html,
            "<h2>{} is down</h2>\n<p>The last error with <code>{}</code>: <code>{}</code></p>",
            Escaped(pbx.name.as_str()),
            Escaped(&pbx.address),
            Escaped(&trouble.error)
        )?;
    }
    html.write_str(
        "<p>The exporter tries again by itself. To find the cause:</p>\n<ol>\n\
         <li>On the PBX, <code>asterisk -rx 'manager show settings'</code> shows whether the manager interface is \
         enabled and on which address and port.</li>\n\
         <li>The address above must be reachable from this machine: look at the configuration, at firewalls, and at \
         <code>permit</code> and <code>deny</code> in <code>manager.conf</code>.</li>\n\
         <li>User and secret must be those of <code>manager.conf</code>; after a change there, \
         <code>asterisk -rx 'manager reload'</code>.</li>\n\
         <li>With <code>--log.level debug</code> each attempt is logged.</li>\n</ol>\n</section>\n",
    )
}

/// What PBXs do not send although they should, and the line of manager.conf that corrects it;
/// nothing if everything is sent.
fn write_missing(html: &mut String, pbxs: &[PbxHealth]) -> fmt::Result {
    let mut lacking = pbxs.iter().filter(|pbx| !pbx.missing.is_empty()).peekable();
    if lacking.peek().is_none() {
        return Ok(());
    }

    html.write_str("<section>\n")?;
    for pbx in lacking {
        writeln!(html, "<h2>{} is reported in part</h2>\n<ul>", Escaped(pbx.name.as_str()))?;
        for missing in pbx.missing.iter() {
            let Explanation { what, cost, line } = explain(missing);
            writeln!(
                html,
                "<li>{}: {}. Needed: <code>{}</code></li>",
                Escaped(&what),
                cost,
                Escaped(&line)
            )?;
        }
        html.write_str("</ul>\n")?;
    }
    html.write_str(
        "<p><code>asterisk_exporter manager-conf</code> prints the whole account for <code>manager.conf</code>. An \
         <code>eventfilter</code> is needed only where others are, and <code>disabledevents</code> in \
         <code>[general]</code> must not name the event. After a change there, \
         <code>asterisk -rx 'manager reload'</code>, and restart the exporter: a session keeps the rights and filters \
         of its login.</p>\n</section>\n",
    )
}

/// When a phase began and how long ago that is.
struct Since<'a>(&'a PbxHealth, Moment);

impl Display for Since<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pbx, now) = *self;
        let since = match (&pbx.phase, &pbx.trouble) {
            (Phase::Up { since }, _) => *since,
            (_, Some(trouble)) => trouble.since,
            (_, None) => return f.write_str("not yet"),
        };
        write!(f, "<time>{}</time> ({})", utc(since), in_words(now.since(since)))
    }
}

/// Text that means itself, between tags and in quoted attributes.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Light and dark by the reader's choice; both have a contrast of at least 4.5 to 1.
const STYLE: &str = ":root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%;margin:1.5rem 0}\
caption{text-align:left;font-weight:bold;padding-bottom:.5rem}\
th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #8888}\
.wide{overflow-x:auto}\
code{overflow-wrap:anywhere}\
.up{color:light-dark(#176117,#7fd67f)}\
.down{color:light-dark(#a31515,#ff9b9b);font-weight:bold}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let hostile = r#"<b>&"O'Hara"</b>"#;
        assert_eq!(Escaped(hostile).to_string(), "&lt;b&gt;&amp;&quot;O&#39;Hara&quot;&lt;/b&gt;");
    }

    #[test]
    fn there_is_a_link_to_the_documentation_where_its_address_is_known() {
        let link = |homepage| {
            let mut html = String::new();
            write_documentation(&mut html, homepage).unwrap();
            html
        };
        assert_eq!(link(None), "");
        assert_eq!(
            link(Some("https://a.test/?x&y")),
            "<li><a href=\"https://a.test/?x&amp;y\">Documentation</a></li>\n"
        );
    }

    #[test]
    fn the_policy_allows_our_style_and_no_other() {
        let source = format!("'sha256-{}'", base64(&sha256(STYLE.as_bytes())));
        assert!(CONTENT_SECURITY_POLICY.contains(&source), "the style is now {source}");
    }

    /// FIPS 180-4; its constants are the first bits of the fractions of square and cube roots of
    /// primes.
    fn sha256(message: &[u8]) -> Vec<u8> {
        let primes =
            || (2..).filter(|n: &u32| (2..*n).all(|d| !n.is_multiple_of(d))).map(f64::from);
        let bits = |root: f64| (root.fract() * 4_294_967_296.0) as u32;
        let constants: Vec<u32> = primes().take(64).map(|prime| bits(prime.cbrt())).collect();
        let mut hash: Vec<u32> = primes().take(8).map(|prime| bits(prime.sqrt())).collect();
        let mut padded = message.to_vec();
        padded.push(0x80);
        padded.resize(
            padded.len().next_multiple_of(64) + if padded.len() % 64 > 56 { 64 } else { 0 } - 8,
            0,
        );
        padded.extend((message.len() as u64 * 8).to_be_bytes());
        for block in padded.chunks(64) {
            let mut w: Vec<u32> =
                block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
            for i in 16..64 {
                let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
                let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
                w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
            }
            let mut v = hash.clone();
            for i in 0..64 {
                let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
                let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
                let t1 = [s1, choice, constants[i], w[i]].into_iter().fold(v[7], u32::wrapping_add);
                let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
                v.rotate_right(1);
                v[4] = v[4].wrapping_add(t1);
                v[0] = t1.wrapping_add(s0).wrapping_add(majority);
            }
            hash.iter_mut().zip(v).for_each(|(h, v)| *h = h.wrapping_add(v));
        }
        hash.into_iter().flat_map(u32::to_be_bytes).collect()
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let bits = chunk
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0_usize, |bits, b| bits << 8 | usize::from(*b));
            for digit in 0..4 {
                let value = DIGITS[bits >> (18 - 6 * digit) & 63];
                text.push(if digit <= chunk.len() { char::from(value) } else { '=' });
            }
        }
        text
    }
}
