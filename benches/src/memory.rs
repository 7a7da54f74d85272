//! What a call takes while it goes on, by what is allocated.

use super::replay::{STREAMS, play, with_live};
use super::stream::Shape;
use super::table::Table;
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(
        "Memory of a call, allocated, calls that ended within 30 s included",
        &["stream", "bytes a call"],
    );
    for (name, mix, recordings) in STREAMS {
        let shape = Shape { mix, recordings, seed: context.seed, ..Shape::default() };
        // Streams of one length, by which the same series have begun.
        let many = with_live(&shape, MANY);
        let few = Shape { live: FEW, ..many };
        let [few, many] = [few, many].map(|shape| Ok::<_, Failure>(play(&shape)?.allocated()));
        // Lists double in size as they grow: the numbers of calls are of one kind in that.
        let bytes = (many? - few?) as f64 / (MANY - FEW) as f64;
        table.row([name.to_owned(), format!("{bytes:.0}")]);
    }
    println!("{table}");
    Ok(())
}

/// Calls at once.
const FEW: usize = 2_000;
const MANY: usize = 32_000;
