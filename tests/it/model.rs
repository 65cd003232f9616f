//! Any sequence of operations: after each step the rows, the histories and the bucket are as a
//! simple model says, and in the end the subscriber has heard exactly of what was proven.

mod case;
mod rules;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::support::knobs;
use rules::Force;

/// Something that somebody does. Uploads are named by a number, counted around the open ones.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// A session at a place; it may overwrite, and it may declare its bytes.
    Create {
        place: usize,
        overwrite: bool,
        declares: bool,
    },
    /// Bytes come by the upload's URL, at any time of its life or after it.
    Put {
        upload: usize,
        right: bool,
    },
    /// The client acknowledges, and may claim a size that is wrong.
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
    /// A fresh URL.
    Refresh {
        upload: usize,
    },
    /// Time passes: longer than a session lives.
    Advance,
    /// A round of the janitor.
    Janitor,
    /// Some other program writes at a place.
    Foreign {
        place: usize,
    },
}

/// Few places and few uploads, so that they meet.
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
fn any_sequence_of_operations_is_as_the_model_says() {
    let runtime = Runtime::new().expect("a runtime");
    let config = Config {
        cases: knobs::cases(16),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&vec(op(), 10..40), |ops| {
        runtime.block_on(case::play(&ops));
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
