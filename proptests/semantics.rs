//! The semantics: naive readers check what they write, and properties hold for any input.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "semantics/budget.rs"]
mod budget;
#[path = "semantics/edits.rs"]
mod edits;
#[path = "semantics/forwarded.rs"]
mod forwarded;
#[path = "semantics/problems.rs"]
mod problems;
#[path = "semantics/strategies.rs"]
mod strategies;
