//! Every target with recordings, and with as many changed ones as take a second or two.
//!
//! `FUZZ_INPUTS=100000` makes more of them, `FUZZ_SEED=17` others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use fuzzing::{Mutator, corpus, target};

#[test]
fn frames_are_the_same_however_they_are_cut() {
    run("frames", 600, 4000);
}

#[test]
fn events_are_read_alike_with_and_without_practice() {
    run("events", 2500, 8000);
}

#[test]
fn whatever_is_played_is_conserved() {
    run("replay", 120, 8000);
}

#[test]
fn whatever_is_listed_is_conserved() {
    run("lists", 80, 8000);
}

#[test]
fn any_file_is_read_as_a_log() {
    run("queue_log", 1500, 4000);
}

#[test]
fn any_text_is_a_configuration_or_has_mistakes() {
    run("configuration", 1500, 4000);
}

#[test]
fn any_text_is_a_web_configuration_or_has_mistakes() {
    run("web_config", 1500, 4000);
}

#[test]
fn any_accept_header_is_answered() {
    run("accept", 20_000, 500);
}

#[test]
fn any_page_is_read_by_the_audit() {
    run("exposition", 400, 4000);
}

/// Checks some fifty recordings as they are, and `count` changed inputs of some `longest` bytes.
fn run(name: &str, count: u64, longest: usize) {
    let target = target(name);
    let corpus = corpus(&target);
    assert!(corpus.len() >= 4, "only {} inputs of {name}", corpus.len());
    let seed = number("FUZZ_SEED").unwrap_or_default();
    let mut rng = Rng::with_seed(seed);
    for recording in corpus.iter().step_by(corpus.len() / 50 + 1) {
        (target.check)(&target.input(&mut rng, &recording[..recording.len().min(longest)]));
    }

    let count = number("FUZZ_INPUTS").unwrap_or(count);
    let mut mutator = Mutator::new(&corpus, seed);
    let mut bytes = 0;
    for at in 0..count {
        let input = target.input(&mut rng, &mutator.input(longest));
        bytes += input.len();
        if catch_unwind(AssertUnwindSafe(|| (target.check)(&input))).is_err() {
            let file = support::scratch().join(format!("fuzz-{name}"));
            std::fs::write(&file, &input).expect("a file");
            panic!("{name}: input {at} is kept in {}", file.display());
        }
    }
    println!("{name}: {count} inputs, {bytes} bytes");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}
