//! Groups of queues and teams of agents.

use std::collections::BTreeMap;

use super::*;
use crate::correlator::QueueState;

fn names(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect()
}

fn bench(limits: LabelLimits, agent_label: AgentLabel) -> Bench {
    let pbx = PbxName::new("hq");
    let mut settings = Settings { limits, agent_label, ..Settings::default() };
    let aliases = [("600", "Support"), ("601", "Both"), ("602", "Both")];
    let aliases = aliases.map(|(queue, alias)| (queue.to_owned(), alias.to_owned()));
    settings.queue_aliases.add(&pbx, aliases);
    let groups = names(&[("Support", "Service"), ("SALES", "Sales \"A\""), ("Both", "Pair")]);
    settings.groups.add(&pbx, &groups, &names(&[("Ann", "Blue")]));

    let mut bench = Bench::new(settings);
    for queue in ["600", "601", "602", "sales", "night"] {
        let queue = bench.queue(queue);
        let (waiting, talking, longest_wait) = (0, 0, secs(0));
        let state = QueueState { queue, waiting, talking, longest_wait, members: vec![] };
        bench.state.queues.push(state);
    }
    for agent in ["Ann", "Bob"] {
        let agent = bench.agent(agent);
        bench.state.agents.push(doing(agent, AgentState::Available));
    }
    bench
}

/// The series of a metric without its name.
fn series(bench: &mut Bench, name: &str) -> Vec<String> {
    let text = bench.text().0;
    let lines =
        text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("{pbx=\"hq\","));
    lines.map(str::to_owned).collect()
}

#[test]
fn each_queue_and_each_agent_has_one_series_whatever_it_belongs_to() {
    let mut bench = bench(LabelLimits::default(), AgentLabel::Name);
    assert_eq!(
        series(&mut bench, "asterisk_queue_info"),
        [
            r#"queue="Support",group="Service"} 1"#,
            r#"queue="Both",group="Pair"} 1"#,
            r#"queue="sales",group="Sales \"A\""} 1"#,
            r#"queue="night",group=""} 1"#,
        ]
    );
    assert_eq!(
        series(&mut bench, "asterisk_agent_info"),
        [r#"agent="Ann",team="Blue"} 1"#, r#"agent="Bob",team=""} 1"#]
    );
}

#[test]
fn what_shares_a_label_is_in_no_group_and_no_team() {
    let limits = LabelLimits { queues: 1, agents: 1, ..LabelLimits::default() };
    let mut bench = bench(limits, AgentLabel::Name);
    // Queues that share an alias by the configuration take no place.
    assert_eq!(
        series(&mut bench, "asterisk_queue_info"),
        [
            r#"queue="Support",group="Service"} 1"#,
            r#"queue="Both",group="Pair"} 1"#,
            r#"queue="other",group=""} 1"#,
        ]
    );
    assert_eq!(
        series(&mut bench, "asterisk_agent_info"),
        [r#"agent="Ann",team="Blue"} 1"#, r#"agent="other",team=""} 1"#]
    );

    let mut nobody = self::bench(LabelLimits::default(), AgentLabel::None);
    assert_eq!(series(&mut nobody, "asterisk_agent_info"), [r#"agent="",team=""} 1"#]);
    let salt = "s".to_owned();
    let mut hashed = self::bench(LabelLimits::default(), AgentLabel::Hash { salt });
    let teams = series(&mut hashed, "asterisk_agent_info");
    assert!(teams[0].ends_with(r#"",team="Blue"} 1"#) && !teams[0].contains("Ann"), "{teams:?}");
}
