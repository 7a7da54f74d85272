//! The targets of this exporter for `http_sd_configs` of Prometheus: each PBX, and the exporter itself.
//!
//! As each is a target of its own, each has its own `up`, may be scraped at an interval of its own, and
//! several Prometheus can share the PBXs of one exporter.

use serde::Serialize;

use super::query;
use crate::metrics::Part;
use crate::pbx::PbxName;

/// A group of targets, as Prometheus reads it.
#[derive(Serialize)]
struct Group<'a> {
    targets: [&'a str; 1],
    labels: Labels<'a>,
}

#[derive(Serialize)]
struct Labels<'a> {
    #[serde(rename = "__metrics_path__")]
    path: &'a str,
    #[serde(rename = "__scheme__", skip_serializing_if = "Option::is_none")]
    scheme: Option<&'a str>,
    #[serde(rename = "__param_scope", skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(rename = "__param_pbx", skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// Distinguishes `up` of one PBX from that of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pbx: Option<&'a str>,
}

/// The list; `host` is where the client reached us.
pub(super) fn list(host: &str, tls: bool, path: &str, pbxs: &[PbxName]) -> String {
    let scheme = tls.then_some("https");
    let exporter = Labels { path, scheme, scope: Some(EXPORTER), parameter: None, pbx: None };
    let pbxs = pbxs.iter().map(PbxName::as_str);
    let pbxs =
        pbxs.map(|pbx| Labels { path, scheme, scope: None, parameter: Some(pbx), pbx: Some(pbx) });
    let groups: Vec<_> = std::iter::once(exporter)
        .chain(pbxs)
        .map(|labels| Group { targets: [host], labels })
        .collect();
    // Text in structures without maps: there is nothing in it that JSON does not have.
    serde_json::to_string(&groups).unwrap_or_default()
}

/// The part of the numbers that a query asks for: `?pbx=NAME`, `?scope=exporter`, or all.
///
/// # Errors
///
/// A name that is not configured is an error: an empty page would look like a PBX without calls.  So is
/// a scope that there is not: all numbers would be counted twice.
pub(super) fn part(query: Option<&str>, pbxs: &[PbxName]) -> Result<Part, String> {
    let (pbx, scope) = (query::parameter(query, "pbx"), query::parameter(query, "scope"));
    match (pbx, scope.as_deref()) {
        (None, None) => Ok(Part::All),
        (None, Some(EXPORTER)) => Ok(Part::Exporter),
        (None, Some(other)) => Err(format!("no scope {other:?}; there is {EXPORTER}\n")),
        (Some(_), Some(_)) => Err("either pbx or scope, not both\n".to_owned()),
        (Some(wanted), None) => pbxs
            .iter()
            .find(|name| name.as_str() == wanted)
            .map(|found| Part::Pbx(found.clone()))
            .ok_or_else(|| {
                let names: Vec<_> = pbxs.iter().map(PbxName::as_str).collect();
                format!("no pbx {wanted:?}; there is {}\n", names.join(", "))
            }),
    }
}

const EXPORTER: &str = "exporter";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_over_tls_says_so_and_an_address_is_text_in_it() {
        assert_eq!(
            list("pbx1:15038\"", true, "/m", &[PbxName::new("hq")]),
            r#"[{"targets":["pbx1:15038\""],"labels":{"__metrics_path__":"/m","__scheme__":"https","__param_scope":"exporter"}},{"targets":["pbx1:15038\""],"labels":{"__metrics_path__":"/m","__scheme__":"https","__param_pbx":"hq","pbx":"hq"}}]"#
        );
    }
}
