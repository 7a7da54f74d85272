//! The exporter through its public face: the library over whole captures, and the program as a user
//! meets it.  One binary; `cargo test --test integration audit::` runs one subject.

mod architecture;
mod audit;
mod backfill;
mod build;
mod captures;
mod cases;
mod command_line;
mod demo;
mod documentation;
mod faults;
mod first_events;
mod image;
mod lab;
mod metrics_md;
mod missing;
mod moments;
mod packages;
mod program;
mod progress;
mod record;
mod reload;
mod replay;
mod rules;
mod setup;
mod supervisor;
mod user;
mod versions;
mod wallboard;
mod web;
mod web_config;
mod zabbix;
