//! The dashboards against Grafana's own type definitions, as its `grafana-foundation-sdk` for
//! TypeScript has them.
//!
//! The package and the compiler come from npm when the test runs; nothing of them is kept in this
//! repository.  It is the compiler that complains: of a field that a panel of this kind does not
//! have, of a value that is none of the allowed ones, of a missing field.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use dashboards::{npm, shipped};
use serde_json::Value;

#[test]
fn grafanas_types_hold() {
    let needed = ["typescript/bin/tsc", "@grafana/grafana-foundation-sdk/package.json"];
    let Some(folder) = npm::installed("grafana-types", PACKAGES, &needed) else { return };
    assert_eq!(compile(&folder, "check.ts", &program(&shipped())), "");
    let mut boards = shipped();
    let panel = boards[0].1["panels"]
        .as_array_mut()
        .expect("panels")
        .iter_mut()
        .find(|panel| panel["type"] == "table");
    panel.expect("a table")["options"]["cellHeight"] = "enormous".into();
    let complaint = compile(&folder, "damaged.ts", &program(&boards));
    assert!(complaint.contains("enormous"), "a wrong value was not found: {complaint}");
}

/// What is wrong in the program, in the compiler's words.
fn compile(folder: &Path, name: &str, program: &str) -> String {
    std::fs::write(folder.join(name), program).expect("a program");
    let compiled = Command::new("node")
        .args(["node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"])
        .args(["--target", "es2022", "--module", "node16", "--moduleResolution", "node16", name])
        .current_dir(folder)
        .output()
        .expect("node runs");
    String::from_utf8_lossy(&compiled.stdout).into_owned()
}

/// Each dashboard, and each part of it that depends on the kind of its panel, as a constant of the
/// type it must have.
fn program(boards: &[(String, Value)]) -> String {
    let mut text = String::from(TYPES);
    let mut number = 0;
    let mut constant = |of: &str, value: &Value| {
        number += 1;
        writeln!(text, "export const c{number}: Loose<{of}> = {value};")
            .expect("a String takes all");
    };

    for (_, board) in boards {
        constant("dashboard.Dashboard", board);
        for variable in board["templating"]["list"].as_array().expect("variables") {
            constant("dashboard.VariableModel", variable);
        }
        for note in board["annotations"]["list"].as_array().expect("annotations") {
            constant("dashboard.AnnotationQuery", note);
        }
        for panel in board["panels"].as_array().expect("panels") {
            let kind = match panel["type"].as_str().expect("a type") {
                "row" => {
                    constant("dashboard.RowPanel", panel);
                    continue;
                }
                "state-timeline" => "statetimeline",
                kind => kind,
            };
            constant("dashboard.Panel", panel);
            constant(&format!("{kind}.Options"), &panel["options"]);
            if let custom @ Value::Object(_) = &panel["fieldConfig"]["defaults"]["custom"] {
                constant(&format!("{kind}.FieldConfig"), custom);
            }
            for target in panel["targets"].as_array().expect("queries") {
                constant("prometheus.Dataquery", target);
            }
        }
    }

    text
}

const PACKAGES: &[&str] = &["@grafana/grafana-foundation-sdk@0.0.21", "typescript@5.9.3"];

/// Enums take the strings they stand for, as JSON has them; a marker of the package is no field.
const TYPES: &str = "\
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
type Marker = '_implementsDataqueryVariant';
type Loose<T> = 0 extends 1 & T ? any
  : T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Loose<U>[]
  : T extends object ? { [K in keyof T as K extends Marker ? never : K]: Loose<T[K]> }
  : T;
";
