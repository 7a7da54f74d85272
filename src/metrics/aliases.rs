//! Aliases of queues in the label `queue`.

use std::collections::{BTreeMap, HashMap};

use crate::pbx::PbxName;

/// Labels of queues, by PBX and by their names there, in any case.
#[derive(Clone, Debug, Default)]
pub struct QueueAliases(HashMap<PbxName, BTreeMap<String, String>>);

impl QueueAliases {
    /// Adds aliases of queues of a PBX.
    pub fn add(&mut self, pbx: &PbxName, queues: impl IntoIterator<Item = (String, String)>) {
        let queues: BTreeMap<_, _> =
            queues.into_iter().map(|(queue, label)| (queue.to_ascii_lowercase(), label)).collect();
        if !queues.is_empty() {
            self.0.insert(pbx.clone(), queues);
        }
    }

    /// The alias of a queue.
    pub fn of(&self, pbx: &PbxName, queue: &str) -> Option<&str> {
        let queues = self.0.get(pbx)?;
        queues.get(&queue.to_ascii_lowercase()).map(String::as_str)
    }

    /// How many queues have this alias.
    pub fn sharers(&self, pbx: &PbxName, label: &str) -> usize {
        self.0
            .get(pbx)
            .map_or(0, |queues| queues.values().filter(|called| *called == label).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_called_so_on_its_own_pbx_only() {
        let mut aliases = QueueAliases::default();
        let [hq, branch] = ["hq", "branch"].map(PbxName::new);
        let names = [("600", "Support"), ("SUPPORT-old", "Support"), ("601", "Sales")];
        aliases.add(&hq, names.map(|(queue, label)| (queue.to_owned(), label.to_owned())));
        assert_eq!([aliases.of(&hq, "600"), aliases.of(&hq, "support-OLD")], [Some("Support"); 2]);
        assert_eq!([aliases.of(&hq, "602"), aliases.of(&branch, "600")], [None; 2]);
        assert_eq!(["Support", "Sales", "600"].map(|label| aliases.sharers(&hq, label)), [2, 1, 0]);
    }
}
