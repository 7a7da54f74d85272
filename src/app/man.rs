//! The command `man`: a manual page of the program, and one of each command.

use std::fs;
use std::path::Path;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Failure;
use super::output::write_out;
use crate::build_info::{DATE, VERSION};
use crate::cli::{self, ManArgs};

/// Prints one page, or writes all.
pub(super) fn run(args: &ManArgs) -> Result<(), Failure> {
    // `help run` is `run --help`: it needs no page.
    let mut program = cli::command().disable_help_subcommand(true);
    program.build();

    if let Some(folder) = &args.out {
        return write_all(&program, folder);
    }
    let page = match &args.command {
        None => &program,
        Some(name) => program
            .find_subcommand(name)
            .ok_or_else(|| format!("{name} is not a command of {}", program.get_name()))?,
    };
    write_out(&String::from_utf8(text(page, &program)?)?)
}

fn write_all(program: &clap::Command, folder: &Path) -> Result<(), Failure> {
    let unwritable = |path: &Path, error| format!("{}: cannot be written: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;

    for page in program.get_subcommands().chain([program]) {
        let path = folder.join(page_of(page).get_filename());
        fs::write(&path, text(page, program)?).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

fn page_of(command: &clap::Command) -> Man {
    // Of the day, as in other manuals.
    let day = DATE.split('T').next().unwrap_or_default();
    Man::new(command.clone()).date(day).source(format!("asterisk_exporter {VERSION}"))
}

/// A page, with references to the others.
fn text(command: &clap::Command, program: &clap::Command) -> Result<Vec<u8>, Failure> {
    let page = page_of(command);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    examples(command).to_writer(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    } else {
        see_also(program).to_writer(&mut text)?;
    }
    Ok(text)
}

fn examples(command: &clap::Command) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["EXAMPLES"]);
    for example in cli::examples(command.get_name()) {
        section.control("TP", []);
        section.text([roman(format!("{}:", example.what))]);
        section.control("nf", []);
        for line in example.shown().lines() {
            section.text([bold(line)]);
        }
        section.control("fi", []);
    }
    section
}

fn see_also(program: &clap::Command) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["SEE ALSO"]);
    section.text([roman(format!("{}(1)", program.get_name()))]);
    section
}
