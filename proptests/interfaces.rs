//! The same request through HTTP/1.1, HTTP/2, `tollgate stdio` and `tollgate stdio --forward`, by the
//! real binary: the same decision, the same code, the same edits.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "interfaces/backend.rs"]
mod backend;
#[path = "interfaces/cases.rs"]
mod cases;
#[path = "interfaces/configuration.rs"]
mod configuration;
#[path = "interfaces/generators.rs"]
mod generators;
#[path = "interfaces/http1.rs"]
mod http1;
#[path = "interfaces/http2.rs"]
mod http2;
#[expect(dead_code, reason = "the tests of `http` use the rest")]
#[path = "http/message.rs"]
mod message;
#[path = "interfaces/observation.rs"]
mod observation;
#[path = "interfaces/processes.rs"]
mod processes;
#[path = "interfaces/request.rs"]
mod request;
#[path = "interfaces/rig.rs"]
mod rig;

use std::cell::RefCell;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use cases::Case;
use rig::Rig;

/// How many requests, unless `PROPTEST_CASES` is set.
const CASES: u32 = 1_000;

/// Failures become named cases, not files.
#[test]
fn all_interfaces_agree() {
    let rig = RefCell::new(Rig::start());
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let mut runner = TestRunner::new(config);
    let agree = |request| match rig.borrow_mut().agree(&request) {
        Ok(_) => Ok(()),
        Err(difference) => Err(TestCaseError::fail(difference)),
    };
    if let Err(error) = runner.run(&generators::requests(), agree) {
        panic!("{error}");
    }
}

/// Every interface that can express the request gives this status, and this code or this route.
fn check(cases: Vec<Case>) {
    let mut rig = Rig::start();
    for (request, status, expected) in cases {
        let observation = rig
            .agree(&request)
            .unwrap_or_else(|difference| panic!("{difference}"));
        let decision = observation.decision;
        // The codec of HTTP/1.1 has a code of its own for what it cannot read.
        let is_named = [&*decision.code, &*decision.route].concat() == expected;
        let is_unread = decision.code.starts_with("http1.");
        assert!(
            decision.status == status && (is_named || is_unread),
            "{request:?}\n{decision:?}\nexpected {status} {expected}"
        );
    }
}

#[test]
fn differences_that_were_found() {
    check(cases::differences());
}

#[test]
fn every_result_of_admission() {
    check(cases::results());
}
