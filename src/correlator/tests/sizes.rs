//! What is held of each call is small, for a large PBX has many (docs/performance.md).

use crate::correlator::call::Call;
use crate::correlator::channel::Channel;
use crate::correlator::ring::Ring;
use crate::correlator::stay::Stay;
use crate::correlator::talk::Talk;

#[test]
fn what_is_held_of_each_call_is_small() {
    let sizes = [
        size_of::<Channel>(),
        size_of::<Call>(),
        size_of::<Stay>(),
        size_of::<Talk>(),
        size_of::<Ring>(),
    ];
    assert_eq!(sizes, [144, 96, 80, 104, 80]);
}
