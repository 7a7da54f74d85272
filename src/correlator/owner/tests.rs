use super::*;

struct People {
    owners: Owners,
    names: Names,
}

impl People {
    fn new() -> Self {
        Self { owners: Owners::default(), names: Names::default() }
    }

    fn has(&mut self, agent: &str, interfaces: &[&str]) -> &mut Self {
        let agent = self.names.agents.intern(agent.as_bytes());
        interfaces.iter().for_each(|interface| self.owners.claim(interface.as_bytes(), agent));
        self
    }

    fn lost(&mut self, agent: &str, interfaces: &[&str]) -> &mut Self {
        let agent = self.names.agents.intern(agent.as_bytes());
        interfaces.iter().for_each(|interface| self.owners.release(interface.as_bytes(), agent));
        self
    }

    fn hint(&mut self, exten: &str, context: &str, watched: &str) -> &mut Self {
        self.owners.hint(exten.as_bytes(), context.as_bytes(), watched.as_bytes());
        self
    }

    fn dials(&mut self, interface: &str, device: &str) -> &mut Self {
        self.owners.dialled(interface.as_bytes(), device.as_bytes());
        self
    }

    /// Whose it is; nobody's is the empty name.
    fn of(&self, device: &str) -> &str {
        self.names.agents.name(self.owners.of(device.as_bytes(), false).unwrap_or_default())
    }
}

const ANN: &[&str] = &["Local/201@from-queue/n", "hint:201@ext-local"];
const BEN: &[&str] = &["Local/202@from-queue/n", "hint:202@ext-local"];

#[test]
fn a_device_that_a_member_names_is_that_members_in_any_case() {
    let mut people = People::new();
    people.has("Tea", &["sip/997"]).has("Sam", &["Local/998@x/n", "PJSIP/Desk-1"]);
    assert_eq!(
        [people.of("SIP/997"), people.of("PJSIP/desk-1"), people.of("PJSIP/997x")],
        ["Tea", "Sam", ""]
    );
}

#[test]
fn who_logged_out_keeps_the_device_until_somebody_else_logs_in() {
    let mut people = People::new();
    people.has("Ann", &["SIP/1"]).has("Ann", &["SIP/1"]).lost("Ann", &["SIP/1"]);
    assert_eq!(people.of("SIP/1"), "Ann");
    people.lost("Ann", &["SIP/1"]);
    assert_eq!(people.of("SIP/1"), "Ann");
    people.has("Ben", &["SIP/1"]);
    assert_eq!(people.of("SIP/1"), "Ben");
}

#[test]
fn a_device_that_two_people_have_at_once_is_nobodys() {
    let mut people = People::new();
    people.has("Ann", &["SIP/1"]).has("Ben", &["SIP/1"]);
    assert_eq!(people.of("SIP/1"), "");
    people.lost("Ben", &["SIP/1"]);
    assert_eq!(people.of("SIP/1"), "Ann");
}

#[test]
fn a_device_called_as_the_extension_is_the_extensions() {
    let mut people = People::new();
    people.has("Ann", ANN).has("Ben", BEN);
    assert_eq!(
        [people.of("PJSIP/201"), people.of("SIP/202"), people.of("PJSIP/2011")],
        ["Ann", "Ben", ""]
    );
    // Two members of one extension.
    people.has("Bea", &["Local/202@from-internal/n"]);
    assert_eq!(people.of("SIP/202"), "");
}

#[test]
fn what_a_hint_watches_goes_before_what_a_device_is_called() {
    let mut people = People::new();
    people.has("Ann", ANN).hint(
        "201",
        "ext-local",
        "PJSIP/phone-7&Custom:DND201,CustomPresence:201",
    );
    assert_eq!(
        [people.of("PJSIP/phone-7"), people.of("PJSIP/201"), people.of("Custom:DND201")],
        ["Ann", "", ""]
    );
    // The dialplan was reloaded.
    people.hint("201", "ext-local", "PJSIP/201");
    assert_eq!([people.of("PJSIP/phone-7"), people.of("PJSIP/201")], ["", "Ann"]);
}

#[test]
fn the_hint_of_a_group_says_less_than_that_of_one_phone() {
    let mut people = People::new();
    people.has("Ann", ANN).has("Ben", BEN).has("Team", &["Local/600@x/n", "hint:600@groups"]);
    people.hint("201", "ext-local", "PJSIP/a&PJSIP/soft-a").hint("202", "ext-local", "PJSIP/b");
    people.hint("600", "groups", "PJSIP/b&PJSIP/soft-a");
    assert_eq!(
        [people.of("PJSIP/a"), people.of("PJSIP/b"), people.of("PJSIP/soft-a")],
        ["Ann", "Ben", ""]
    );
}

#[test]
fn a_phone_behind_one_local_channel_is_learned() {
    let mut people = People::new();
    people.has("Ann", ANN).has("Ben", BEN);
    people
        .dials(ANN[0], "PJSIP/desk-a")
        .dials(ANN[0], "PJSIP/DESK-A")
        .dials(BEN[0], "PJSIP/desk-b");
    assert_eq!([people.of("PJSIP/desk-a"), people.of("PJSIP/desk-b")], ["Ann", "Ben"]);
}

#[test]
fn a_phone_that_two_dial_and_one_of_several_are_nobodys() {
    let mut people = People::new();
    people.has("Ann", ANN).has("Ben", BEN).has("Cay", &["Local/600@x/n"]);
    people.dials(ANN[0], "PJSIP/shared").dials(BEN[0], "PJSIP/shared");
    people.dials("Local/600@x/n", "PJSIP/one").dials("Local/600@x/n", "PJSIP/two");
    assert_eq!(
        [people.of("PJSIP/shared"), people.of("PJSIP/one"), people.of("PJSIP/two")],
        ["", "", ""]
    );
    // Follow-me to a colleague's phone, which is called as her extension.
    people.dials("Local/601@x/n", "PJSIP/205").has("Dot", &["Local/601@x/n"]);
    assert_eq!(people.of("PJSIP/205"), "");
}

#[test]
fn the_configuration_goes_before_everything() {
    let mut names = Names::default();
    let mut rules = Rules::default();
    rules.agent_aliases.insert("pjsip/201".to_owned(), "Ann Ash".to_owned());
    let mut people = People { owners: Owners::new(&rules, &mut names), names };
    people.has("Ann", &["PJSIP/201"]);
    assert_eq!(people.of("PJSIP/201"), "Ann Ash");
}

#[test]
fn a_trunk_is_an_agents_by_its_own_name_only() {
    let mut people = People::new();
    people.has("Ann", ANN).has("Out", &["SIP/mobile"]);
    assert!(people.owners.of(b"PJSIP/201", true).is_none());
    assert!(people.owners.of(b"SIP/mobile", true).is_some());
}
