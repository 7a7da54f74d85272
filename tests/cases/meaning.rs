//! What a header does not mean.
