//! Changes of the members (RELIABILITY: I12, I19; PROTOCOL 16).

mod leader;
mod learner;
