//! Plays scenarios, several at once.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard};

use super::pbx::Pbx;
use super::sipp::Phones;
use super::stage::{Scenario, Stage};

/// How many scenarios are played at once.
const AT_ONCE: usize = 16;

/// Plays scenarios; returns those that could not be played, each with the reason.
pub(crate) fn play(chosen: &[(usize, &Scenario)], pbx: &Pbx, phones: &Phones) -> Vec<String> {
    let left = Mutex::new(chosen.iter());
    let playing = Mutex::new(BTreeSet::new());
    let failed = Mutex::new(Vec::new());

    let one = |index: usize, scenario: &Scenario| {
        lock(&playing).insert(scenario.name);
        let stage = Stage::new(scenario, index, pbx, phones);
        let played = catch_unwind(AssertUnwindSafe(|| (scenario.drive)(&stage)));

        if let Err(panic) = played {
            let why = format!("{}: {}", scenario.name, message(&*panic));
            let mut failed = lock(&failed);
            // Printed at once: a server that hangs may end the test before it comes to its verdict.
            println!("{why}");
            if failed.is_empty() {
                // What broke the server is among these; scenarios that fail later only suffer from
                // it.
                println!("    in play with: {:?}\n{}", lock(&playing), pbx.diagnosis());
            }
            failed.push(why);
        }
        lock(&playing).remove(scenario.name);
    };

    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = lock(&left).next();
                    let Some(&(index, scenario)) = next else { return };
                    one(index, scenario);
                }
            });
        }
    });
    failed.into_inner().expect("no panic while it is locked")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic while it is locked")
}

/// The message of a panic: a literal, or a text with values in it.
fn message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
