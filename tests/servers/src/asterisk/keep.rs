//! What a test leaves behind if it is asked: with `ASTERISK_KEEP=FOLDER`, all that the manager sent
//! (every class, as an account with `read = all` has it) and the queue_log go there, such as for a
//! fixture.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use support::program::wait_until;

use super::configuration::SECRET;
use super::pbx::Pbx;

/// A copy of everything that is being made.
pub(crate) struct Keeper {
    folder: PathBuf,
    file: PathBuf,
    stream: TcpStream,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Begins, if it is asked for.
    pub(crate) fn start(pbx: &Pbx, name: &str) -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("ASTERISK_KEEP")?);
        let mut stream = TcpStream::connect(pbx.manager()).expect("the manager interface");
        let login = format!("Action: Login\r\nUsername: ctl\r\nSecret: {SECRET}\r\n\r\n");
        stream.write_all(login.as_bytes()).expect("a login");
        let file = folder.join(format!("{name}.all.ami"));
        let (mut from, mut to) =
            (stream.try_clone().expect("a stream"), File::create(&file).expect("a file"));
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                to.write_all(&buffer[..length]).expect("a file to write to");
            }
        });
        let mut keeper = Self { folder, file, stream, thread };
        keeper.mark("begin");
        std::thread::sleep(EDGE);
        Some(keeper)
    }

    /// Ends it, and copies the queue_log beside it.
    pub(crate) fn stop(mut self, pbx: &Pbx, name: &str) {
        std::thread::sleep(EDGE);
        self.mark("end");
        let _ = self.stream.shutdown(Shutdown::Both);
        self.thread.join().expect("the copy");
        std::fs::copy(pbx.queue_log(), self.folder.join(format!("{name}.queue_log")))
            .expect("a queue_log");
    }
    /// An event before the first call and one behind the last: nothing is known of what is at
    /// an edge.
    fn mark(&mut self, what: &str) {
        let action = format!("Action: UserEvent\r\nUserEvent: {what}\r\n\r\n");
        self.stream.write_all(action.as_bytes()).expect("an action");
        let mark = format!("UserEvent: {what}\r\n");
        wait_until("a mark in the copy", || {
            std::fs::read(&self.file)
                .ok()
                .filter(|text| String::from_utf8_lossy(text).contains(&mark))
        });
    }
}

/// More than what `audit` leaves out at the edges of a capture.
const EDGE: Duration = Duration::from_secs(3);
