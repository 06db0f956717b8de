//! The runner must fail what deserves it: vectors that pass say nothing otherwise.

use super::data::Pattern;
use super::frame::{FramePattern, Received};
use super::report::Report;
use super::script::parse_time;

/// The one failure of a text with one vector.
fn failure(text: &str) -> String {
    let mut report = Report::default();
    report.run_text("text", text);
    assert_eq!(report.passed(), 0, "{text} passed");
    assert_eq!(report.failures().len(), 1, "{text}");
    report.failures()[0].clone()
}

fn passes(text: &str) {
    let mut report = Report::default();
    report.run_text("text", text);
    assert_eq!(report.failures(), &[] as &[String], "{text}");
}

#[test]
fn whatever_is_unknown_is_an_error() {
    for (text, part) in [
        ("X-1 [] `C9` `@0 end`", "unknown profile `C9`"),
        ("X-1 [] `C8{foo=1}` `@0 end`", "`foo=1`: unknown key"),
        ("X-1 [] `C8{dyn=2}` `@0 end`", "`dyn=2`: unknown value"),
        ("X-1 [] `C8{bs}` `@0 end`", "expected key=value"),
        ("X-1 [] `C8{bs=1` `@0 end`", "brace"),
        ("X-1 [] `C8` `@0 jump`", "unknown word `jump`"),
        ("X-1 [] `C8` `@0 cfm N_FINE`", "unknown result `N_FINE`"),
        ("X-1 [] `C8` `@0 ind! N_OK`", "unknown result `N_OK`"),
        ("X-1 [] `C8` `@0 end now`", "`now`"),
        ("X-1 [] `C8` `@0 abort all`", "expected tx or rx"),
        ("X-1 [] `C8` `@0 end ;`", "unknown word ``"),
        ("X-1 [] `C8` `@1 end ; @0 end`", "time runs backward"),
        ("X-1 [] `C8` `@0 cfgerr ; end`", "`cfgerr` stands alone"),
        ("X-1 [] `C8` `@0 rx 7E8#01??`", "`??`"),
        ("X-1 [] `C8` `@0 rxcf 1-3 of 10`", "has no frame 2"),
        ("X-1 [] `C8` `@0 rxcf 1-1 of 10 dl9`", "dl9"),
        ("X-1 [] `NF{tx=7E0}` `@0 end`", "no physical id"),
        ("X-1 [] `C8`", "expected NUMBER"),
        ("[X] `C8` `@0 end`", "has no number"),
    ] {
        let came = failure(text);
        assert!(came.contains(part), "{text}: expected {part}, came {came}");
    }
}

#[test]
fn a_failure_names_vector_step_expectation_and_what_came() {
    let came = failure("X-1 [] `C8` `@0 req 3E ; tx 7E0#013F`");
    for part in [
        "text: X-1: step 2 `tx 7E0#013F`",
        "expected `tx 7E0#013F` at 0.000 ms",
        "came `tx 7E0#013E` at 0.000 ms",
    ] {
        assert!(came.contains(part), "{came}");
    }
}

#[test]
fn order_time_and_completeness_are_exact() {
    for text in [
        // something is left over
        "X-1 [] `C8` `@0 req 3E ; tx 7E0#013E`",
        // something is pending at a stimulus, or at the end
        "X-1 [] `C8` `@0 req 3E ; tx 7E0#013E ; con ; cfm N_OK`",
        "X-1 [] `C8` `@0 req N(8) ; tx 7E0#1008000102030405 ; @1000 end`",
        // too early, too late, wrong order, not at all
        "X-1 [] `C8` `@0 req N(8) ; tx 7E0#1008000102030405 ; @999.999 cfm N_TIMEOUT_Bs`",
        "X-1 [] `C8` `@0 req N(8) ; tx 7E0#1008000102030405 ; @1000.001 cfm N_TIMEOUT_Bs`",
        "X-1 [] `C8` `@0 req 3E ; cfm N_OK ; tx 7E0#013E`",
        "X-1 [] `C8` `@0 rx 7E8#013E ; indf 3E`",
        "X-1 [] `C8` `@0 rx 7E8#013E ; ind 3E3E`",
        "X-1 [] `C8` `@0 rx 7E8#013E ; rej`",
        // frame kind, BRS and width of the id belong to a frame
        "X-1 [] `C8` `@0 req 3E ; tx 7E0##0013E ; cfm N_OK`",
        "X-1 [] `F64` `@0 req 3E ; tx 7E0##1013E ; cfm N_OK`",
        "X-1 [] `C8` `@0 req 3E ; tx 000007E0#013E ; cfm N_OK`",
        // a configuration that is refused or not
        "X-1 [] `C8` `cfgerr`",
        "X-1 [] `C8{tx_dl=9}` `@0 end`",
    ] {
        failure(text);
    }
    passes("X-1 [] `C8` `@0 req N(8) ; tx 7E0#10 ??*2 N[1:6] ; @1000 cfm N_TIMEOUT_Bs`");
    passes(
        "X-1, [A B], `C8{ }`, `cfgerr`"
            .replace("{ }", "{stmin=FFF}")
            .as_str(),
    );
    passes("# `comment`\n\nX-2 [A] `C8` `@0 con ; grant ; abort tx ; abort rx ; @9 end` remark");
}

#[test]
fn bytes_repeat_count_and_stay_open() {
    let exact = |text| Pattern::parse(text).unwrap().exact().unwrap();
    assert_eq!(exact("10 03"), [0x10, 0x03]);
    assert_eq!(exact("10AA*3 01"), [0x10, 0xAA, 0xAA, 0xAA, 0x01]);
    assert_eq!(exact("N(3)07"), [0, 1, 2, 7]);
    assert_eq!(exact("N[254:258]"), [0xFE, 0xFF, 0, 1]);
    assert_eq!(exact(""), [0; 0]);
    let open = Pattern::parse("31??*2").unwrap();
    assert!(open.matches(&[0x31, 7, 8]));
    assert!(!open.matches(&[0x31, 7]));
    assert!(!open.matches(&[0x30, 7, 8]));
    for wrong in [
        "1", "1 0", "G0", "+1", "*2", "AA*0", "N(", "N(x)", "N[3:2]", "?1",
    ] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn frames_are_read_the_candump_way() {
    for text in ["7E0#0102", "18DA10F1#", "7E0##001AA", "7E0##1??"] {
        assert_eq!(FramePattern::parse(text).unwrap().to_string(), text);
    }
    for wrong in [
        "7E0",
        "7E#01",
        "8FF#01",
        "20000000#01",
        "7E0##",
        "7E0##201",
        "XYZ#",
    ] {
        assert!(FramePattern::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Received::parse("7E8#R8").unwrap(), Received::NoData);
    assert_eq!(Received::parse("20000004#00").unwrap(), Received::NoData);
    assert!(Received::parse("7E8##R").is_err());
    assert_ne!(Received::parse("7E8##301").unwrap(), Received::NoData);
}

#[test]
fn times_have_microseconds() {
    assert_eq!(parse_time("10"), Ok(10_000));
    assert_eq!(parse_time("10.3"), Ok(10_300));
    assert_eq!(parse_time("0.001"), Ok(1));
    for wrong in ["", ".5", "-1", "1.0001", "1e3", "99999999999999999999"] {
        assert!(parse_time(wrong).is_err(), "{wrong}");
    }
}
