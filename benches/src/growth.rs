//! What an event costs while more and more goes on: it must not grow.
//!
//! On a PBX where `n` of everything goes on, every kind of event comes some times, and the median is
//! printed.  Instructions are counted by callgrind, if valgrind is installed: this program runs
//! itself under it, and two calls into libc that nothing else makes mark where an event begins and
//! ends.

mod cases;
mod world;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::Command;
use std::{env, fs, process};

use asterisk_exporter::correlator::Snapshot;
use asterisk_exporter::event::{Event, Kind, MemberChange};
use cases::CASES;
use world::{Nobody, World, everywhere, lists, member_of_crowd};

use crate::measure::{median, now};
use crate::table::Table;
use crate::{Context, Failure};

/// What each event cost at one size.
type Costs = Vec<(String, f64)>;

/// Prints what each event costs at each size.
pub(crate) fn run(_: &Context) -> Result<(), Failure> {
    let nanoseconds = SIZES.map(|n| medians(timed(n)));
    let header = ["event, or item of a list", "1 k", "10 k", "100 k", "100 k / 1 k"];
    print(Table::new("Nanoseconds of an event among so many of everything", &header), &nanoseconds);

    match instructions(&SIZES) {
        Some(counted) => {
            let title = "Instructions of an event among so many of everything";
            print(Table::new(title, &header), &counted?);
        }
        None => println!("Instructions are not counted: valgrind is not installed.\n"),
    }
    Ok(())
}

fn print(mut table: Table, costs: &[Costs]) {
    for (row, (name, least)) in costs[0].iter().enumerate() {
        let all: Vec<f64> = costs.iter().map(|size| size[row].1).collect();
        let [one, ten, hundred] = all[..] else { continue };
        let figure = |cost: f64| format!("{cost:.0}");
        let ratio = format!("{:.2}", hundred / least.max(1.0));
        table.row([name.clone(), figure(one), figure(ten), figure(hundred), ratio]);
    }
    println!("{table}");
}

/// Runs the events for callgrind, and prints what they are.
pub(crate) fn run_marked(n: usize) {
    let mut marks = Marks;
    play(n, MARKED, &mut marks);
}

/// Fails if an event takes more instructions, beyond the logarithm, the more goes on.
pub(crate) fn check() -> Result<(), Failure> {
    let few = counted(FEW)?;
    let many = counted(MANY)?;
    let grown = few.iter().zip(&many).filter(|((_, few), (_, many))| many / few > LOGARITHM);
    let grown: Vec<_> =
        grown.map(|((name, few), (_, many))| format!("{name}: {few:.0}, then {many:.0}")).collect();
    match grown[..] {
        [] => Err("a look through everything was not found: nothing is counted".into()),
        [ref known] if known.starts_with(CONTROL) => Ok(()),
        _ => Err(format!("instructions grow from {FEW} to {MANY}:\n{}", grown.join("\n")).into()),
    }
}

/// Instructions of each event at each size, by callgrind; none without valgrind.
fn instructions(sizes: &[usize]) -> Option<Result<Vec<Costs>, Failure>> {
    Command::new("valgrind").arg("--version").output().ok()?;
    Some(sizes.iter().map(|&n| counted(n)).collect())
}

fn counted(n: usize) -> Result<Costs, Failure> {
    let folder = env::temp_dir().join(format!("growth-{}-{n}", process::id()));
    fs::create_dir_all(&folder)?;
    let figures = counted_in(&folder, n);
    fs::remove_dir_all(&folder)?;
    figures
}

fn counted_in(folder: &Path, n: usize) -> Result<Costs, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--zero-before=getpid", "--dump-before=getppid"])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(env::current_exe()?)
        .args(["growth-marked", &n.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }

    let mut costs = Vec::new();
    for (at, line) in String::from_utf8(output.stdout)?.lines().enumerate() {
        let (items, name) = line.split_once(' ').ok_or("a line without a name")?;
        let dump = fs::read_to_string(folder.join(format!("out.{}", at + 1)))?;
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: f64 = total.ok_or("a dump without totals")?.trim().parse()?;
        costs.push((name.to_owned(), total / items.parse::<f64>()?));
    }
    Ok(medians(costs))
}

fn timed(n: usize) -> Costs {
    let mut times = Times::default();
    play(n, TIMED, &mut times);
    times.0
}

/// The median of each, in the order in which they came.
fn medians(costs: Costs) -> Costs {
    let mut order = Vec::new();
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, cost) in costs {
        let known = all.entry(name.clone()).or_default();
        if known.is_empty() {
            order.push(name);
        }
        known.push(cost);
    }
    let of = |name: String| {
        let figures = all.remove(&name).unwrap_or_default();
        (name, median(figures))
    };
    order.into_iter().map(of).collect()
}

/// What is measured of one piece of work.
trait Meter {
    fn measure(&mut self, name: &str, items: usize, work: impl FnOnce());
}

#[derive(Default)]
struct Times(Costs);

impl Meter for Times {
    fn measure(&mut self, name: &str, items: usize, work: impl FnOnce()) {
        let begun = now();
        work();
        let spent = begun.elapsed().as_secs_f64() * 1e9;
        self.0.push((name.to_owned(), spent / items as f64));
    }
}

/// Callgrind counts between the two marks.
struct Marks;

impl Meter for Marks {
    fn measure(&mut self, name: &str, items: usize, work: impl FnOnce()) {
        println!("{items} {name}");
        let _ = process::id();
        work();
        let _ = parent_id();
    }
}

fn play(n: usize, times: usize, meter: &mut impl Meter) {
    play_events(n, times, meter);
    play_states(n, times, meter);
    play_restart(n, meter);
    play_lists(n, meter);
    play_control(n, times, meter);
}

/// Every event, then what ends many things at once.
fn play_events(n: usize, times: usize, meter: &mut impl Meter) {
    let mut world = World::full(n);
    for (at, case) in CASES.iter().enumerate() {
        for time in 0..times {
            let id = format!("x{at}.{time}");
            world.play(&(case.before)(&id, time));
            let event = Event { at: None, kind: (case.event)(&id, time) };
            let (now, correlator) = (world.now, &mut world.correlator);
            meter.measure(case.name, 1, || correlator.handle(now, &event, &mut Nobody));
        }
    }

    world.wait(1);
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("state, by queue and agent", n, || drop(correlator.state(now)));
    meter.measure("running times, by agent", n, || correlator.flush(now, &mut Nobody));
    world.wait(31);
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("expire, by ended channel", n, || correlator.expire(now, &mut Nobody));
    meter.measure("lost link, by agent", n, || correlator.disconnected(now, &mut Nobody));

    let removed: Vec<_> =
        (0..n).step_by(10).map(|i| member_of_crowd(MemberChange::Removed, i, 2)).collect();
    world.play(&removed);
    world.play(&[everywhere(MemberChange::Removed, 0, 1)]);
    let restart = Event { at: None, kind: Kind::Shutdown };
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("restart, with removed members, by call", n, || {
        correlator.handle(now, &restart, &mut Nobody);
    });
}

/// What a scrape asks of one queue with 20 agents.
fn play_states(n: usize, times: usize, meter: &mut impl Meter) {
    let world = World::of_talks(n);
    for _ in 0..times {
        meter.measure("state of a queue with 20 agents", 1, || {
            drop(world.correlator.state(world.now));
        });
    }
}

/// A restart in which nothing but talks is lost, one of them of a member who was removed.
fn play_restart(n: usize, meter: &mut impl Meter) {
    let mut world = World::empty();
    for i in 0..n {
        world.play(&world::talk(&format!("t{i}"), i % TALKERS));
    }
    world.play(&[member_of_crowd(MemberChange::Removed, 0, 2)]);
    world.wait(1);
    let restart = Event { at: None, kind: Kind::Shutdown };
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("restart, with a removed member, by talk", n, || {
        correlator.handle(now, &restart, &mut Nobody);
    });
}

/// What must grow, or nothing is counted at all: a short look at each of `n` numbers.
fn play_control(n: usize, times: usize, meter: &mut impl Meter) {
    let numbers: Vec<usize> = (0..n).collect();
    for _ in 0..times {
        meter.measure(CONTROL, 1, || {
            let sum = numbers.iter().fold(0, |sum: usize, &number| black_box(sum ^ number));
            black_box(sum);
        });
    }
}

fn play_lists(n: usize, meter: &mut impl Meter) {
    let lists = lists(n);
    let mut world = World::empty();
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("snapshot, by unknown talk", n, || correlator.resync(now, &lists, &mut Nobody));
    meter.measure("list in mid-session, by caller", n, || {
        correlator.begin_listing();
        correlator.reconcile(now, &lists, &mut Nobody);
    });
    meter.measure("snapshot, by known talk", n, || correlator.resync(now, &lists, &mut Nobody));
    let empty = Snapshot::default();
    meter.measure("empty snapshot, by known talk", n, || {
        correlator.resync(now, &empty, &mut Nobody);
    });
    world.wait(3);
    let (now, correlator) = (world.now, &mut world.correlator);
    meter.measure("expire, by talk that a list missed", n, || {
        correlator.expire(now, &mut Nobody);
    });
}

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Sizes of the check, and how much the logarithm grows between them: ld 2000 / ld 500.
const FEW: usize = 500;
const MANY: usize = 2_000;
const LOGARITHM: f64 = 1.22;
/// What grows with everything, to see that growth is found.
const CONTROL: &str = "(a look at each of them)";
/// Agents who talk as the PBX restarts.
const TALKERS: usize = 200;
/// How often each event is timed.
const TIMED: usize = 33;
/// How often its instructions are counted: they are the same but for a table that grows.
const MARKED: usize = 5;
