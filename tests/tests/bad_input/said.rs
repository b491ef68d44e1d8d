//! What a failed command may say: one sentence for people on standard error, nothing on standard output.

use aside_tests::Run;

/// Panics unless the command ended with `code` and said one line that holds every one of `phrases`.
#[track_caller]
pub fn fails_saying(run: Run, code: i32, phrases: &[&str]) -> Run {
    let run = run.expect_code(code);
    assert!(run.stdout.is_empty(), "data of a failed command: {run:#?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    let sentence = lines.last().unwrap_or_else(|| panic!("said nothing: {run:#?}"));
    assert_eq!(lines.len(), 1, "one sentence: {run:#?}");
    assert!(sentence.starts_with("aside: ") || sentence.starts_with("aside-relay: "), "{sentence}");
    for phrase in phrases {
        assert!(sentence.contains(phrase), "no {phrase:?} in: {sentence}");
    }
    for leak in ["panicked", "unwrap", "Error(", "Err(", "Os {", "RUST_BACKTRACE"] {
        assert!(!sentence.contains(leak), "{leak:?} is not for people: {sentence}");
    }
    run
}

/// As [`fails_saying`] for wrong arguments that the argument parser finds: it shows the usage on lines of its own.
#[track_caller]
pub fn wrong_usage(run: Run, phrases: &[&str]) {
    let run = run.expect_code(2);
    assert!(run.stdout.is_empty(), "{run:#?}");
    assert!(!run.stderr.contains("panicked"), "{run:#?}");
    for phrase in phrases {
        assert!(run.stderr.contains(phrase), "no {phrase:?} in: {}", run.stderr);
    }
}
