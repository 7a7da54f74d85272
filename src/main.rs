//! The program: a command line, what it asks for, an exit code.

use std::process::ExitCode;

use asterisk_exporter::{app, cli};

fn main() -> ExitCode {
    match app::execute(cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            if !text.is_empty() {
                eprintln!("asterisk_exporter: {text}");
            }
            ExitCode::from(app::exit_code(&error))
        }
    }
}
