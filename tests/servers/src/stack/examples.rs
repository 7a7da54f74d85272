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
    let text = std::fs::read_to_string(root("contrib/kubernetes/asterisk_exporter.yml")).unwrap();
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

#[test]
fn the_example_configuration_of_the_exporter_is_fine() {
    let checked = run(&["check-config", "--config", "asterisk_exporter.example.yml"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
