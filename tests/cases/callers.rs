//! Callers whose channel changes under the stay.
