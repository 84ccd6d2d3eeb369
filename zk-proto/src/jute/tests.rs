//! The data format alone, on types of the test's own.

use super::*;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    int: i32,
    long: i64,
    float: f32,
    double: f64,
    text: Option<String>,
    list: Option<Vec<String>>,
}

fn everything() -> Everything {
    Everything {
        flag: true,
        int: -2,
        long: 1 << 40,
        float: 1.5,
        double: -0.25,
        text: Some("añ".into()),
        list: None,
    }
}

#[test]
fn fields_follow_each_other_big_endian() {
    let bytes = to_vec(&everything()).unwrap();
    let expected = [
        &[1][..],
        &[0xff, 0xff, 0xff, 0xfe],
        &[0, 0, 1, 0, 0, 0, 0, 0],
        &1.5f32.to_be_bytes(),
        &(-0.25f64).to_be_bytes(),
        &[0, 0, 0, 3, b'a', 0xc3, 0xb1],
        &[0xff; 4],
    ]
    .concat();
    assert_eq!(bytes, expected);
    assert_eq!(from_slice::<Everything>(&bytes), Ok(everything()));
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = to_vec(&everything()).unwrap();
    for end in 0..bytes.len() {
        assert!(from_slice::<Everything>(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn trailing_bytes_matter_only_to_from_slice() {
    let bytes = [0, 0, 0, 7, 9];
    assert_eq!(from_prefix::<i32>(&bytes), Ok(7));
    assert_eq!(from_slice::<i32>(&bytes), Err(Error::Trailing(1)));
}

#[test]
fn lengths_beyond_the_input_are_refused_before_allocating() {
    let huge = i32::MAX.to_be_bytes();
    assert_eq!(from_slice::<String>(&huge), Err(Error::Length(i32::MAX)));
    assert_eq!(from_slice::<Vec<i64>>(&huge), Err(Error::Length(i32::MAX)));
    let minus_two = (-2i32).to_be_bytes();
    assert_eq!(from_slice::<String>(&minus_two), Err(Error::Length(-2)));
}

#[test]
fn negative_counts_read_as_java_reads_them() {
    let minus_five = (-5i32).to_be_bytes();
    assert_eq!(from_slice::<Vec<i64>>(&minus_five), Ok(vec![]));
    let minus_one = (-1i32).to_be_bytes();
    assert_eq!(from_slice::<Option<Vec<i64>>>(&minus_one), Ok(None));
}

#[test]
fn invalid_utf8_becomes_replacement_characters() {
    let bytes = [0, 0, 0, 2, b'/', 0xff];
    assert_eq!(from_slice::<String>(&bytes), Ok("/\u{fffd}".into()));
}

#[test]
fn types_without_a_jute_form_are_errors() {
    assert!(to_vec(&7u64).is_err());
    assert!(to_vec(&'c').is_err());
    assert!(to_vec(&BTreeMap::<i32, i32>::new()).is_err());
    assert!(to_vec(&Some(Ok::<i32, i32>(1))).is_err());
    assert!(from_slice::<u64>(&[0; 8]).is_err());
}
