//! Writes the inputs that cargo-fuzz begins with: `corpus TARGET FOLDER`.

use std::path::PathBuf;
use std::process::ExitCode;

use fastrand::Rng;
use fuzzing::{TARGETS, corpus};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(folder)) = (args.next(), args.next().map(PathBuf::from)) else {
        eprintln!("usage: corpus TARGET FOLDER");
        return ExitCode::from(2);
    };
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("no target {name}: there are {}", names.join(", "));
        return ExitCode::from(2);
    };

    let write = || {
        std::fs::create_dir_all(&folder)?;
        let mut rng = Rng::with_seed(0);
        for (number, recording) in corpus(target).iter().enumerate() {
            let input = target.input(&mut rng, recording);
            std::fs::write(folder.join(format!("recorded-{number:04}")), input)?;
        }
        Ok::<_, std::io::Error>(())
    };
    if let Err(error) = write() {
        eprintln!("{}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
