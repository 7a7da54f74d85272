//! The command `health`: whether the exporter on this machine is healthy, or ready.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::Failure;
use super::output::write_out;
use super::runtime::on_runtime;
use crate::cli::HealthArgs;
use crate::config;

/// Prints the page, and fails unless it says that all is well.
pub(super) fn run(args: &HealthArgs) -> Result<(), Failure> {
    let path = args.socket.clone().unwrap_or_else(config::health_socket);
    let page = if args.ready { "/-/ready" } else { "/-/healthy" };

    on_runtime(async {
        let asked = timeout(PATIENCE, ask(&path, page)).await;
        let late = || format!("no answer within {} s", PATIENCE.as_secs()).into();
        let answer = asked.unwrap_or_else(|_| Err(late()));
        let (status, text) =
            answer.map_err(|error| Failure::from(format!("{}: {error}", path.display())))?;

        write_out(&text)?;
        if status == StatusCode::OK { Ok(()) } else { Err(super::AlreadyPrinted.into()) }
    })
}

async fn ask(path: &Path, page: &str) -> Result<(StatusCode, String), Failure> {
    let stream = UnixStream::connect(path).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(page).header(header::HOST, "localhost");
    let request = request.body(Empty::<Bytes>::new())?;

    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection moves the bytes, and may end before the answer is read.
    let (answer, _) = tokio::join!(answer, connection);
    answer
}

/// A healthy exporter answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// A line for each PBX.
const LONGEST: usize = 1 << 20;
