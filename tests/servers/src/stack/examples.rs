//! The example configurations, checked by the tools of the servers that read them; tests/integration/rules.rs
//! does so for alerts/.

use std::process::Command;

use serde_json::Value;
use support::program::{run, tool};
use support::root;

use super::servers::Folder;

fn assert_content(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}: {text}");
}

/// The folder of a Prometheus: the examples, and the rules where they look for them.
fn etc() -> Folder {
    let folder = Folder::new("etc");
    std::fs::create_dir(folder.0.join("asterisk")).unwrap();

    for entry in std::fs::read_dir(root("contrib/prometheus")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.0.join(path.file_name().unwrap())).unwrap();
    }

    for file in ["rules.yml", "thresholds.yml", "alerts.yml"] {
        std::fs::copy(root("alerts").join(file), folder.0.join("asterisk").join(file)).unwrap();
    }

    // Promtool reads what is in the targets' files, too.
    std::fs::create_dir(folder.0.join("targets")).unwrap();
    std::fs::copy(
        root("contrib/prometheus/targets.example.yml"),
        folder.path("targets/asterisk.yml"),
    )
    .unwrap();

    folder
}

#[test]
fn promtool_has_nothing_against_the_example_configurations() {
    let Some(promtool) = tool("promtool") else { return };
    let etc = etc();
    let mut command = Command::new(&promtool);
    let checked =
        command.args(["check", "config"]).arg(etc.0.join("prometheus.yml")).output().unwrap();
    let text = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(
        text.matches("rules found").count(),
        3,
        "the rules are where the example looks for them: {text}"
    );

    // Passwords are files, which promtool wants to be there.
    for example in ["site.yml", "site-mimir.yml"] {
        let text = std::fs::read_to_string(etc.0.join(example)).unwrap();
        let text = text.replace("/etc/prometheus/metrics-password", &etc.file("password", "x"));
        let mut check = Command::new(&promtool);
        assert_content(check.args(["check", "config", "--agent"]).arg(etc.file(example, &text)));
    }
}

#[test]
fn vmagent_reads_the_scrape_configuration_for_many_pbxs() {
    let Some(vmagent) = tool("vmagent") else { return };
    let etc = etc();
    let mut command = Command::new(vmagent);
    command.arg("-dryRun").arg(format!("-promscrape.config={}", etc.path("vmagent.yml")));
    assert_content(
        command.arg("-remoteWrite.url=http://127.0.0.1:8428/api/v1/write").current_dir(&etc.0),
    );
}

/// There is no Kubernetes here to ask: what its parts say of each other is checked, and the
/// exporter its own part.
#[test]
fn the_manifests_of_kubernetes_fit_each_other() {
    let text = std::fs::read_to_string(root("deploy/kubernetes/asterisk_exporter.yml")).unwrap();
    let manifests: Vec<Value> =
        text.split("\n---\n").map(|part| serde_saphyr::from_str(part).unwrap()).collect();
    let kind = |kind: &str| manifests.iter().find(|manifest| manifest["kind"] == kind).expect(kind);
    let deployment = &kind("Deployment")["spec"];
    let monitor = &kind("PodMonitor")["spec"];
    let pod = &deployment["template"];
    assert_eq!(monitor["selector"]["matchLabels"], pod["metadata"]["labels"]);
    assert_eq!(deployment["selector"]["matchLabels"], pod["metadata"]["labels"]);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(monitor["podMetricsEndpoints"][0]["port"], container["ports"][0]["name"]);
    assert_eq!(container["ports"][0]["containerPort"], 15038);
    let service = &kind("Service")["spec"];
    assert_eq!(service["selector"], pod["metadata"]["labels"]);
    assert_eq!(service["ports"][0]["targetPort"], container["ports"][0]["name"]);
    assert_eq!(deployment["replicas"], 1, "two exporters would count everything twice");
    assert_eq!(
        pod["spec"]["volumes"][0]["configMap"]["name"],
        kind("ConfigMap")["metadata"]["name"]
    );

    let secret = &container["env"][0];
    assert_eq!(secret["valueFrom"]["secretKeyRef"]["name"], kind("Secret")["metadata"]["name"]);
    let config = kind("ConfigMap")["data"]["config.yml"].as_str().unwrap();
    let folder = Folder::new("kubernetes");
    let mut check = support::program::command(&[
        "check-config",
        "--config",
        &folder.file("config.yml", config),
    ]);
    assert_content(check.env(secret["name"].as_str().unwrap(), "x"));
}

/// Nothing is written twice: they are made of the files of alerts/ and dashboards/.
#[test]
fn rules_and_dashboards_for_kubernetes_are_the_files() {
    let printed = Command::new(root("deploy/kubernetes/rules-and-dashboards")).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    // The parser takes some comments in a row, and rules.yml has more.
    let parsed = |text: &str| -> Value {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        serde_saphyr::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
    };
    let manifests: Vec<_> = printed.split_terminator("---\n").map(parsed).collect();

    let read = |path: &str| std::fs::read_to_string(root(path)).unwrap();
    for (manifest, name) in manifests.iter().zip(["rules", "thresholds", "alerts"]) {
        let file = parsed(&read(&format!("alerts/{name}.yml")));
        assert_eq!(manifest["kind"], "PrometheusRule");
        assert_eq!(manifest["spec"], file, "{name}");
    }
    let boards = ["agents", "calls-and-trunks", "exporter", "queue", "wallboard"];
    assert_eq!(manifests.len(), 3 + boards.len());
    for (manifest, name) in manifests[3..].iter().zip(boards) {
        assert_eq!(manifest["kind"], "ConfigMap");
        let board = &manifest["data"][format!("asterisk-{name}.json")];
        assert_eq!(board.as_str(), Some(&*read(&format!("dashboards/{name}.json"))), "{name}");
    }
}

/// What `docker compose` would start: each part by its own tool, and what they say of each other.
#[test]
fn the_files_of_compose_fit_each_other() {
    let read = |path: &str| std::fs::read_to_string(root("deploy/compose").join(path)).unwrap();
    let yaml = |path: &str| -> Value { serde_saphyr::from_str(&read(path)).unwrap() };
    let compose = yaml("compose.yml");
    let services = &compose["services"];

    // A file that is not there would be mounted as an empty folder.
    for (name, service) in services.as_object().unwrap() {
        let mounts = service["volumes"].as_array().into_iter().flatten();
        for source in mounts.map(|mount| mount.as_str().unwrap().split(':').next().unwrap()) {
            let is_known = !compose["volumes"][source].is_null();
            assert!(is_known || root("deploy/compose").join(source).exists(), "{name}: {source}");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} is open to others");
        }
    }

    let exporter = yaml("exporter.yml");
    let manager = read("asterisk/manager.conf");
    assert_eq!(exporter["pbx"][0]["address"], "asterisk:5038");
    assert!(
        manager.contains(&format!("secret = {}\n", exporter["pbx"][0]["secret"].as_str().unwrap()))
    );
    assert!(manager.contains(&format!("[{}]\n", exporter["pbx"][0]["username"].as_str().unwrap())));
    let jobs = yaml("prometheus.yml");
    assert_eq!(jobs["scrape_configs"][0]["static_configs"][0]["targets"][0], "exporter:15038");
    assert_eq!(
        jobs["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"][0],
        "alertmanager:9093"
    );
    assert_eq!(yaml("datasource.yml")["datasources"][0]["url"], "http://prometheus:9090");

    let folder = etc();
    let config = folder.file("config.yml", &read("exporter.yml"));
    assert_content(&mut support::program::command(&["check-config", "--config", &config]));
    if let Some(promtool) = tool("promtool") {
        let file = folder.file("prometheus.yml", &read("prometheus.yml"));
        assert_content(Command::new(promtool).args(["check", "config", &file]));
    }
    if let Some(amtool) = tool("amtool") {
        let file = folder.file("alertmanager.yml", &read("alertmanager.yml"));
        assert_content(Command::new(amtool).args(["check-config", &file]));
    }
}

#[test]
fn the_example_configuration_of_the_exporter_is_fine() {
    let checked = run(&["check-config", "--config", "asterisk_exporter.example.yml"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
