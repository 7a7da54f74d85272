//! The command `backfill`: reads queue_logs twice, and writes what the exporter would have counted.

use std::io::Write as _;
use std::path::Path;

use super::Failure;
use super::configuration::for_replay;
use super::progress::{AboveBar, Bar};
use crate::backfill::{AgentAliases, Days, Period, Player, Summary, Survey, new_history};
use crate::calendar::utc;
use crate::cli::BackfillArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::with_causes;
use crate::metrics::{Settings, Target};
use crate::pbx::PbxName;
use crate::queue_log::QueueLog;

/// Writes the files; what it found goes to standard error.
pub(super) fn run(args: &BackfillArgs) -> Result<(), Failure> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err("--from is not before --to".into());
    }
    if let Some(to) = args.to
        && to > Clock::start().now()
    {
        return Err(format!("--to {}: is in the future", utc(to)).into());
    }
    let config = for_replay(args.config.as_deref())?;
    let pbx = pbx(args, &config)?;
    args.queue_log.iter().try_for_each(|path| check_file(path))?;
    let log =
        QueueLog::open(&args.queue_log, args.log_offset).map_err(|error| with_causes(&error))?;

    // It is read twice.
    let bar = Bar::of_files(args.queue_log.iter().chain(&args.queue_log));
    let log = log.with_progress(&bar.progress());
    let period = Period { from: args.from, to: args.to, step: args.step };
    let survey = survey(args, period, &log)?;
    let rules = config.pbxs.iter().find(|of| of.name == pbx).map(|of| &of.rules);
    let aliases = rules.map(|rules| AgentAliases::new(&rules.agent_aliases)).unwrap_or_default();
    let target = Target { pbx, job: args.job.clone(), instance: args.instance.clone() };
    let past = Past { target, settings: config.metrics, aliases };
    let summary = play(args, period, &log, &survey, past)?;
    drop(bar);
    report(&summary, &survey);
    Ok(())
}

/// What the exporter would have been.
struct Past {
    target: Target,
    settings: Settings,
    aliases: AgentAliases,
}

/// The PBX whose log it is.
fn pbx(args: &BackfillArgs, config: &Config) -> Result<PbxName, Failure> {
    if let Some(name) = &args.pbx {
        let is_known =
            args.config.is_none() || config.pbxs.iter().any(|pbx| pbx.name.as_str() == name);
        return match is_known {
            true => Ok(PbxName::new(name)),
            false => Err(format!("no pbx {name} in the configuration").into()),
        };
    }
    match (&args.config, &config.pbxs[..]) {
        (Some(_), [pbx]) => Ok(pbx.name.clone()),
        (Some(_), _) => {
            Err("there are several PBXs in the configuration: name one with --pbx".into())
        }
        (None, _) => Err("the label pbx is not known: name it with --pbx, or give --config".into()),
    }
}

/// A pipe would be empty the second time.
fn check_file(path: &Path) -> Result<(), Failure> {
    let about = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?;
    match about.is_file() {
        true => Ok(()),
        false => Err(format!("{}: is no file, and it is read twice", path.display()).into()),
    }
}

fn survey(args: &BackfillArgs, period: Period, log: &QueueLog) -> Result<Survey, Failure> {
    let mut survey = Survey::new(period, args.agents);
    log.read(|_, _, line| survey.line(line)).map_err(|error| with_causes(&error))?;
    Ok(survey)
}

fn play(
    args: &BackfillArgs,
    period: Period,
    log: &QueueLog,
    survey: &Survey,
    Past { target, settings, aliases }: Past,
) -> Result<Summary, Failure> {
    let (first, last) = survey.span().ok_or("no line of queue_log is in that time")?;
    let (pace, end) = (period.pace(first), period.to.unwrap_or(last));
    let size = survey.size(&settings, &target, pace, end.as_micros() / 1_000_000);
    let said = format!(
        "{} lines of {} queues in {} days: about {} samples, {} MB\n",
        survey.lines(),
        survey.names().queues.count() - 1,
        end.as_micros() / 86_400_000_000 - pace.begin() / 86_400 + 1,
        size.samples,
        size.bytes.div_ceil(1_000_000),
    );
    // In one piece, for the bar is drawn again after each.
    let _ = AboveBar.write_all(said.as_bytes());

    let history = new_history(settings, &target, args.agents, pace);
    let days = Days::new(&args.out, pace, args.force).map_err(|error| with_causes(&error))?;
    let player = Player::new(period, pace, survey.names(), history, days);
    let mut player = player.with_aliases(aliases);

    let mut failed = None;
    log.read(|_, _, line| {
        if let (Ok(line), None) = (line, &failed) {
            failed = player.line(&line).err();
        }
    })
    .map_err(|error| with_causes(&error))?;
    failed.map_or(Ok(()), Err).map_err(|error| with_causes(&error))?;
    player.finish().map_err(|error| with_causes(&error).into())
}

fn report(summary: &Summary, survey: &Survey) {
    eprintln!("{} lines counted, {} samples written", summary.lines, summary.samples);
    if survey.malformed() > 0 {
        eprintln!("{} lines cannot be read", survey.malformed());
    }
    if summary.repeated > 0 {
        eprintln!("{} lines repeat another and are not counted", summary.repeated);
    }
    if summary.late > 0 {
        eprintln!(
            "{} lines are older than those before them, and count where they are",
            summary.late
        );
    }
    if !summary.untargeted.is_empty() {
        eprintln!(
            "without a service level target in the configuration, so without its counters: {}",
            summary.untargeted.join(", ")
        );
    }
    let others: Vec<_> = survey.others().map(|(word, count)| format!("{word} ({count})")).collect();
    if !others.is_empty() {
        eprintln!("verbs that are not read: {}", others.join(", "));
    }
}
