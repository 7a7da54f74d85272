//! Which build of the program this is; build.rs finds it out.

use std::sync::LazyLock;

use crate::calendar;

/// The version of the release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit of the sources, with `-modified` if they differed from it; `unknown` if they were in
/// no repository and nobody said.
pub const REVISION: &str = env!("BUILD_REVISION");

/// Where the documentation is, without a slash at the end: `homepage` in Cargo.toml.
///
/// It is the only place that has the address, and without it nothing links anywhere.
pub const HOMEPAGE: Option<&str> = {
    let address = env!("CARGO_PKG_HOMEPAGE");
    if address.is_empty() { None } else { Some(address) }
};

/// When it was built, by RFC 3339, or as whoever built it wrote it.
pub static DATE: LazyLock<String> = LazyLock::new(|| written(env!("BUILD_DATE")));

/// What `--version` prints.
pub static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{VERSION}\n  revision:   {REVISION}\n  build date: {}\n  rustc:      {}\n  platform:   {}",
        *DATE,
        env!("BUILD_RUSTC"),
        env!("BUILD_PLATFORM"),
    )
});

fn written(date: &str) -> String {
    calendar::moment(date).map_or_else(|_| date.to_owned(), calendar::utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_seconds_is_written_out_and_any_other_text_is_kept() {
        for (given, shown) in [
            ("1795445526", "2026-11-23T14:52:06Z"),
            ("2026-11-23T15:52:06+01:00", "2026-11-23T14:52:06Z"),
            ("unknown", "unknown"),
            ("last Monday", "last Monday"),
        ] {
            assert_eq!(written(given), shown);
        }
    }
}
