//! The configuration as a JSON Schema, for editors.

/// The schema.  A test generates it from what describes the keys anyway: their list with the
/// defaults, the ranges of the readers, and the tables of docs/configuration.md and docs/tls.md.
pub const SCHEMA: &str = include_str!("../../asterisk_exporter.schema.json");

#[cfg(test)]
mod generator;
#[cfg(test)]
mod tests;
