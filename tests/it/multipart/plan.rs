//! The parts of a plan cover the object without a gap and within the limits of the store. An object
//! that cannot be cut is rejected with a helpful message.

use proptest::prelude::*;
use upload_broker::domain::part_plan::{
    MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE, PartError, PartLimits, PartPlan,
    PlanError,
};

const S3: PartLimits = PartLimits::S3;

/// Sizes of every magnitude, and sizes close to a whole number of parts.
fn size() -> impl Strategy<Value = u64> {
    let magnitude = (0_u32..46, any::<u64>()).prop_map(|(bits, noise)| noise % (2_u64 << bits));
    let near = (1_u64..=10_000, 5_u64..=5_120, 0_u64..=2)
        .prop_map(|(parts, mib, off)| (parts * mib * MIB + 1).saturating_sub(off));
    prop_oneof![magnitude, near, 0..=MAX_OBJECT_SIZE, Just(MAX_OBJECT_SIZE)]
        .prop_map(|size| size.min(MAX_OBJECT_SIZE))
}

fn part_size() -> impl Strategy<Value = Option<u64>> {
    proptest::option::of(prop_oneof![
        MIN_PART_SIZE..=MAX_PART_SIZE,
        (5_u64..=5_120).prop_map(|mib| mib * MIB)
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planned_parts_cover_the_object_within_the_limits(size in size(), wanted in part_size()) {
        let plan = match PartPlan::new(Some(size), wanted, S3) {
            Ok(plan) => plan,
            Err(PlanError::TooManyParts { parts, max_parts, least }) => {
                prop_assert!(parts > u64::from(max_parts));
                prop_assert!(wanted.unwrap() < least);
                PartPlan::new(Some(size), Some(least), S3).expect("what was said to be right")
            }
            Err(other) => panic!("{size} bytes in parts of {wanted:?}: {other}"),
        };
        let count = plan.count().unwrap();
        prop_assert!((1..=MAX_PARTS).contains(&count), "{} parts", count);
        if wanted.is_none() {
            prop_assert_eq!(plan.part_size() % MIB, 0);
        }
        let mut end = 0;
        let parts = plan.parts(0..=u32::MAX);
        prop_assert_eq!(parts.len(), count as usize);
        for (part, number) in parts.zip(1..) {
            prop_assert_eq!((part.number, part.offset), (number, end));
            prop_assert_eq!(plan.part(number), Some(part));
            let last = number == count;
            let smallest = if last { u64::from(size > 0) } else { MIN_PART_SIZE };
            prop_assert!((smallest..=MAX_PART_SIZE).contains(&part.size), "{:?}", part);
            prop_assert!(last || part.size == plan.part_size(), "{:?}", part);
            prop_assert_eq!(plan.validate_part(number, part.size), Ok(()));
            end += part.size;
        }
        prop_assert_eq!(end, size);
        prop_assert_eq!(plan.part(0), None);
        prop_assert_eq!(plan.part(count + 1), None);
        prop_assert_eq!(PartPlan::new(Some(size), Some(plan.part_size()), S3), Ok(plan));
    }

    #[test]
    fn missing_ranges_are_the_exact_complement_of_uploaded_parts(
        count in 1_u32..200,
        there in proptest::collection::btree_set(1_u32..200, 0..60),
    ) {
        let size = u64::from(count) * MIN_PART_SIZE;
        let plan = PartPlan::new(Some(size), Some(MIN_PART_SIZE), S3).unwrap();
        let missing = plan.missing(there.iter().copied());
        let apart = missing.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
        prop_assert!(apart, "ranges in order, not touching: {:?}", missing);
        let missing: Vec<u32> = missing.iter().flat_map(|(from, to)| *from..=*to).collect();
        let expected: Vec<u32> = (1..=count).filter(|number| !there.contains(number)).collect();
        prop_assert_eq!(missing, expected);
    }
}

#[test]
fn default_part_size_grows_with_the_object() {
    let gib = 1024 * MIB;
    for (size, part_size, count) in [
        (0, 16 * MIB, 1),
        (1, 16 * MIB, 1),
        (16 * MIB, 16 * MIB, 1),
        (16 * MIB + 1, 16 * MIB, 2),
        (160_000 * MIB, 16 * MIB, 10_000),
        (160_000 * MIB + 1, 17 * MIB, 9_412),
        (1024 * gib, 105 * MIB, 9_987),
        (MAX_OBJECT_SIZE, 5 * gib, 10_000),
    ] {
        let plan = PartPlan::new(Some(size), None, S3).unwrap();
        let found = (plan.part_size(), plan.count());
        assert_eq!(found, (part_size, Some(count)), "{size} bytes");
    }
}

#[test]
fn impossible_plan_is_rejected_with_field_and_message() {
    let refused = |size, part_size| {
        let error = PartPlan::new(size, part_size, S3).unwrap_err();
        (error.field(), error.to_string())
    };
    assert_eq!(
        refused(Some(MAX_OBJECT_SIZE + 1), None),
        (
            "size",
            "must be at most 53687091200000 bytes, the largest object that the store accepts"
                .into()
        )
    );
    let bounds = "must be 5242880 to 5368709120 bytes".to_owned();
    for part_size in [0, 1, MIN_PART_SIZE - 1, MAX_PART_SIZE + 1, u64::MAX] {
        assert_eq!(
            refused(Some(1), Some(part_size)),
            ("part_size", bounds.clone())
        );
        assert_eq!(
            refused(None, Some(part_size)),
            ("part_size", bounds.clone())
        );
    }
    assert_eq!(
        refused(Some(1 << 40), Some(MIN_PART_SIZE)),
        (
            "part_size",
            "must be at least 110100480 bytes: an upload has at most 10000 parts, and the \
             requested part size would make 209716"
                .into()
        )
    );
}

#[test]
fn plan_without_size_accepts_any_part_the_store_accepts() {
    let plan = PartPlan::new(None, None, S3).unwrap();
    assert_eq!(
        (plan.size(), plan.count(), plan.part(1)),
        (None, None, None)
    );
    assert_eq!(plan.parts(1..=100).len(), 0);
    assert_eq!((plan.part_size(), plan.last()), (16 * MIB, MAX_PARTS));
    assert_eq!(plan.missing([2, 3, 7]), [(1, 1), (4, 6)]);
    assert_eq!(plan.missing([]), []);
    for (number, size) in [(1, 0), (1, 1), (10_000, MAX_PART_SIZE)] {
        assert_eq!(
            plan.validate_part(number, size),
            Ok(()),
            "part {number}, {size}"
        );
    }
    let number = Err(PartError::Number { last: MAX_PARTS });
    assert_eq!(
        (plan.validate_part(0, 1), plan.validate_part(10_001, 1)),
        (number, number)
    );
    let max = MAX_PART_SIZE;
    let size = Err(PartError::Size { max });
    assert_eq!(
        (plan.validate_part(2, 0), plan.validate_part(1, max + 1)),
        (size, size)
    );
}

#[test]
fn unplanned_part_is_rejected_with_the_planned_values() {
    let plan = PartPlan::new(Some(12 * MIB), Some(5 * MIB), S3).unwrap();
    let said = |number, size| {
        let error = plan.validate_part(number, size).unwrap_err();
        (error.field(), error.to_string())
    };
    assert_eq!(said(0, 1), ("part_number", "must be 1 to 3".into()));
    assert_eq!(said(4, 1), ("part_number", "must be 1 to 3".into()));
    let planned = ("size", "must be 2097152 bytes, as planned".to_owned());
    assert_eq!(said(3, 5 * MIB), planned);
    assert_eq!(plan.missing([2, 2, 9]), [(1, 1), (3, 3)], "9 is none of it");
}
