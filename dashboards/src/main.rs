//! `cargo run -p dashboards` writes `dashboards/*.json`, `cargo run -p dashboards pictures` draws
//! them.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for (file, text) in dashboards::generated() {
                std::fs::write(&file, text).expect("a dashboard is written");
                println!("{}", file.display());
            }
        }
        ["pictures"] if dashboards::render::pictures() => {}
        ["pictures"] => return ExitCode::FAILURE,
        _ => {
            eprintln!("usage: cargo run -p dashboards [pictures]");
            return ExitCode::from(2);
        }
    }

    ExitCode::SUCCESS
}
