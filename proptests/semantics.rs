//! The semantics against naive readings of what they write, and what must hold for any input.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "semantics/answers.rs"]
mod answers;
#[path = "semantics/budget.rs"]
mod budget;
#[path = "semantics/edits.rs"]
mod edits;
#[path = "semantics/forwarded.rs"]
mod forwarded;
#[path = "semantics/strategies.rs"]
mod strategies;
