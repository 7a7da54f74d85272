//! The one on call: what Alertmanager's webhook receives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Whom Alertmanager notifies.
pub(crate) struct Pager {
    pub(crate) port: u16,
    /// All notifications, in order.
    notifications: Arc<Mutex<Vec<Value>>>,
}

impl Pager {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let notifications = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&notifications);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    match line.trim_end().split_once(": ") {
                        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                            length = value.parse().unwrap();
                        }
                        None if line.trim_end().is_empty() => break,
                        _ => {}
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let notification: Value = serde_json::from_slice(&body).unwrap();
                ours.lock().unwrap().push(notification);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                stream.get_mut().write_all(answer).unwrap();
            }
        });

        Self { port, notifications }
    }

    /// All notifications until now.
    pub(crate) fn notifications(&self) -> Vec<Value> {
        self.notifications.lock().unwrap().clone()
    }

    /// The alerts of this name that were notified with this status.
    pub(crate) fn notified(&self, name: &str, status: &str) -> Vec<Value> {
        let notifications = self.notifications();
        let alerts = notifications.iter().flat_map(|one| one["alerts"].as_array().unwrap());
        let notified = alerts
            .filter(|alert| alert["labels"]["alertname"] == name && alert["status"] == status);
        notified.cloned().collect()
    }
}
