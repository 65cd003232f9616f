//! A model-based test with random sequences of operations: after each step the rows, the histories
//! and the bucket match a simple model, and in the end the subscriber has been notified exactly of
//! the proven uploads.

mod case;
mod rules;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::support::options;
use rules::Force;

/// One operation. An upload is named by a number, which is taken modulo the number of uploads.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Creates a session at a place. It may overwrite, and it may declare its bytes.
    Create {
        place: usize,
        overwrite: bool,
        declares: bool,
    },
    /// Sends bytes to the upload's URL, at any time before or after its end.
    Put {
        upload: usize,
        right: bool,
    },
    /// Acknowledges the upload. A client that is not honest expects a wrong size.
    Acknowledge {
        upload: usize,
        honest: bool,
    },
    Cancel {
        upload: usize,
    },
    Delete {
        upload: usize,
        force: Force,
    },
    /// Asks for a fresh URL.
    Refresh {
        upload: usize,
    },
    /// Lets time pass, longer than the lifetime of a session.
    Advance,
    /// Runs a round of the janitor.
    Janitor,
    /// Another program writes at a place.
    Foreign {
        place: usize,
    },
}

/// Few places and few uploads, so that operations often concern the same ones.
fn op() -> impl Strategy<Value = Op> {
    let (place, upload) = (0..2_usize, 0..8_usize);
    let yes = any::<bool>();
    let force = prop::sample::select(vec![Force::False, Force::True, Force::Remove]);
    prop_oneof![
        4 => (place.clone(), yes, prop::bool::weighted(0.3)).prop_map(
            |(place, overwrite, declares)| Op::Create { place, overwrite, declares }),
        6 => (upload.clone(), prop::bool::weighted(0.8))
            .prop_map(|(upload, right)| Op::Put { upload, right }),
        6 => (upload.clone(), prop::bool::weighted(0.9))
            .prop_map(|(upload, honest)| Op::Acknowledge { upload, honest }),
        2 => upload.clone().prop_map(|upload| Op::Cancel { upload }),
        3 => (upload.clone(), force).prop_map(|(upload, force)| Op::Delete { upload, force }),
        1 => upload.prop_map(|upload| Op::Refresh { upload }),
        2 => Just(Op::Advance),
        3 => Just(Op::Janitor),
        1 => place.prop_map(|place| Op::Foreign { place }),
    ]
}

#[test]
fn random_operation_sequences_match_the_model() {
    let runtime = Runtime::new().expect("a runtime");
    let config = Config {
        cases: options::cases(16),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&vec(op(), 10..40), |ops| {
        runtime.block_on(case::run(&ops));
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
