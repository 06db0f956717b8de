//! Controllers that refuse frames, hand them back, confirm them late, twice or never, or leave the bus in
//! the middle of a block: at either end, on CC and FD. No link hangs, each message has one outcome, at
//! its time, and the next messages go through, whatever of the old ones is still reported.

mod bench;

use isotp_core::{Config, Confirmation};

use crate::node::counting;
use bench::{Bench, Mood};

/// The sender's and the receiver's outcome, in the words of the vectors, and when.
#[derive(Clone, Copy, Debug)]
struct Ends {
    sender: (&'static str, u64),
    /// `None`: it hears nothing of the message.
    receiver: Option<(&'static str, u64)>,
}

const fn ends(sender: &'static str, at: u64, receiver: Option<(&'static str, u64)>) -> Ends {
    Ends {
        sender: (sender, at),
        receiver,
    }
}

/// CC and FD, each with a message of fifteen frames in blocks of four.
fn configs(confirmation: Confirmation, in_flight: u8) -> [(Config, usize); 2] {
    [(Config::new(), 100), (Config::fd(64, true), 900)].map(|(mut config, len)| {
        config.confirmation = confirmation;
        config.transmit.in_flight = in_flight;
        config.receive.block_size = 4;
        (config, len)
    })
}

/// One message from end 0 to end 1 while the controller of `bad` is in this mood.
fn check(config: &Config, len: usize, bad: usize, mood: Mood, expected: Ends) {
    let case = format!("{mood:?} at end {bad}, {len} bytes, {config:?}");
    let mut bench = Bench::new(config);
    bench.set_mood(bad, mood);
    bench.send(0, counting(len));
    bench.run();
    let [sender, receiver] = bench.heard();
    let outcomes: Vec<_> = sender.iter().map(|(at, event)| (&**event, *at)).collect();
    let confirmed = format!("cfm {}", expected.sender.0);
    assert_eq!(outcomes, [(&*confirmed, expected.sender.1)], "{case}");
    let mut outcomes: Vec<_> = receiver.iter().map(|(at, event)| (&**event, *at)).collect();
    let segmented = len > 62 || (len > 7 && !config.kind.is_fd());
    if segmented && expected.receiver.is_some() {
        assert_eq!(outcomes.remove(0).0, format!("ff {len}"), "{case}");
    }
    let indicated = expected.receiver.map(|(result, at)| match result {
        "N_OK" => (indication(len), at),
        result => (format!("ind! {result}"), at),
    });
    let indicated = indicated.as_ref().map(|(event, at)| (&**event, *at));
    assert_eq!(outcomes, Vec::from_iter(indicated), "{case}");
    usable(&mut bench, config, bad, &case);
}

/// Messages both ways, the first while old reports may still come, the second after them.
fn usable(bench: &mut Bench, config: &Config, bad: usize, case: &str) {
    let long = if config.kind.is_fd() { 900 } else { 100 };
    bench.set_mood(bad, Mood::Works);
    for (from, len) in [(0, long), (1, long), (0, 5)] {
        let begin = bench.now();
        bench.send(from, counting(len));
        bench.run();
        let mut heard = bench.heard();
        heard.rotate_left(from);
        let [sender, receiver] = heard;
        assert!(
            bench.now() < begin + 100,
            "{case}: {} ms",
            bench.now() - begin
        );
        let events = |heard: Vec<(u64, String)>| -> Vec<String> {
            heard.into_iter().map(|(_, event)| event).collect()
        };
        assert_eq!(
            events(sender),
            ["cfm N_OK"],
            "{case}: {len} bytes from {from}"
        );
        let last = events(receiver).pop();
        assert_eq!(
            last,
            Some(indication(len)),
            "{case}: {len} bytes from {from}"
        );
    }
}

fn indication(len: usize) -> String {
    let data: String = counting(len)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!("ind {data}")
}

/// Checks each row of a table on CC and FD. `bad` is the end whose controller misbehaves.
fn check_all(confirmation: Confirmation, in_flight: u8, bad: usize, rows: &[(Mood, Ends)]) {
    for (config, len) in configs(confirmation, in_flight) {
        for (mood, expected) in rows {
            check(&config, len, bad, *mood, *expected);
        }
    }
}

/// `SVC-01`, `SVC-09`, `TIM-11`: data frames. Each takes 1 ms, so the fifteen with their four flow
/// controls take 19, and what is not confirmed ends N_As after it was ready.
#[test]
fn a_bad_controller_of_the_sender_ends_each_message_once() {
    let table = [
        (Mood::Refuses, ends("N_ERROR", 0, None)),
        (Mood::Full, ends("N_TIMEOUT_A", 1000, None)),
        (Mood::HandsBack, ends("N_TIMEOUT_A", 1000, None)),
        // ten more for each frame
        (Mood::HandsBackOnce, ends("N_OK", 169, Some(("N_OK", 169)))),
        (
            Mood::ConfirmsAfter(900),
            ends("N_OK", 15 * 901, Some(("N_OK", 14 * 901 + 1))),
        ),
        // the first frame crosses, its flow control at 1, and nothing after it
        (
            Mood::ConfirmsAfter(1010),
            ends("N_TIMEOUT_A", 1000, Some(("N_TIMEOUT_Cr", 1002))),
        ),
        (Mood::ConfirmsTwice, ends("N_OK", 19, Some(("N_OK", 19)))),
        (
            Mood::ConfirmsNever,
            ends("N_TIMEOUT_A", 1000, Some(("N_TIMEOUT_Cr", 1002))),
        ),
        // the third consecutive frame is ready at 4
        (
            Mood::BusOffAfter(3),
            ends("N_TIMEOUT_A", 1004, Some(("N_TIMEOUT_Cr", 1004))),
        ),
    ];
    check_all(Confirmation::Reported, 1, 0, &table);
}

/// `SVC-05`, `SVC-09`, `TIM-10`, `TIM-11`: flow controls. The first is ready at 1, the second at 6.
#[test]
fn a_bad_controller_of_the_receiver_ends_each_message_once() {
    let table = [
        (
            Mood::Refuses,
            ends("N_TIMEOUT_Bs", 1001, Some(("N_ERROR", 1))),
        ),
        (
            Mood::Full,
            ends("N_TIMEOUT_Bs", 1001, Some(("N_TIMEOUT_A", 1001))),
        ),
        (
            Mood::HandsBack,
            ends("N_TIMEOUT_Bs", 1001, Some(("N_TIMEOUT_A", 1001))),
        ),
        // ten more for each of four flow controls
        (Mood::HandsBackOnce, ends("N_OK", 59, Some(("N_OK", 59)))),
        // the frames of a block act when its flow control is confirmed: at 902, 1803, 2704, 3605
        (
            Mood::ConfirmsAfter(900),
            ends("N_OK", 2707, Some(("N_OK", 3605))),
        ),
        (
            Mood::ConfirmsAfter(1010),
            ends("N_TIMEOUT_Bs", 1006, Some(("N_TIMEOUT_A", 1001))),
        ),
        (Mood::ConfirmsTwice, ends("N_OK", 19, Some(("N_OK", 19)))),
        (
            Mood::ConfirmsNever,
            ends("N_TIMEOUT_Bs", 1006, Some(("N_TIMEOUT_A", 1001))),
        ),
        // what was answered was on the bus, whatever the controller says at 7, 13, 19 and 25
        (Mood::FailsAfter(5), ends("N_OK", 22, Some(("N_OK", 25)))),
        (
            Mood::BusOffAfter(1),
            ends("N_TIMEOUT_Bs", 1006, Some(("N_TIMEOUT_A", 1006))),
        ),
    ];
    check_all(Confirmation::Reported, 1, 1, &table);
}

/// `SVC-09`: with four frames in flight a block takes 1 ms, and frames that are lost are not repeated,
/// since others have overtaken them.
#[test]
fn a_bad_controller_with_frames_in_flight_ends_each_message_once() {
    let table = [
        (Mood::Refuses, ends("N_ERROR", 0, None)),
        (Mood::Full, ends("N_TIMEOUT_A", 1000, None)),
        (Mood::HandsBack, ends("N_TIMEOUT_A", 1000, None)),
        // the frames after it were confirmed, so this one counts as sent, and the peer sees a gap
        (
            Mood::HandsBackOnce,
            ends("N_TIMEOUT_Bs", 1013, Some(("N_WRONG_SN", 13))),
        ),
        (
            Mood::ConfirmsAfter(900),
            ends("N_OK", 5 * 901, Some(("N_OK", 4 * 901 + 1))),
        ),
        (
            Mood::ConfirmsAfter(1010),
            ends("N_TIMEOUT_A", 1000, Some(("N_TIMEOUT_Cr", 1002))),
        ),
        (Mood::ConfirmsTwice, ends("N_OK", 9, Some(("N_OK", 9)))),
        (
            Mood::ConfirmsNever,
            ends("N_TIMEOUT_A", 1000, Some(("N_TIMEOUT_Cr", 1002))),
        ),
        // two frames of the block come back at 12
        (
            Mood::BusOffAfter(3),
            ends("N_ERROR", 12, Some(("N_TIMEOUT_Cr", 1003))),
        ),
    ];
    check_all(Confirmation::Reported, 4, 0, &table);
}

/// `TIM-03`: where a commit counts as a confirmation a frame that comes back is lost, and no report of
/// any kind changes anything.
#[test]
fn a_bad_controller_that_nobody_listens_to_ends_each_message_once() {
    // a whole block is committed at once
    let fine = ends("N_OK", 8, Some(("N_OK", 9)));
    let sender = [
        (Mood::Refuses, ends("N_ERROR", 0, None)),
        (Mood::Full, ends("N_TIMEOUT_A", 1000, None)),
        (Mood::HandsBack, ends("N_TIMEOUT_Bs", 1000, None)),
        (Mood::ConfirmsAfter(1010), fine),
        (Mood::ConfirmsTwice, fine),
        (Mood::ConfirmsNever, fine),
    ];
    let receiver = [
        (
            Mood::Refuses,
            ends("N_TIMEOUT_Bs", 1000, Some(("N_ERROR", 1))),
        ),
        (
            Mood::Full,
            ends("N_TIMEOUT_Bs", 1000, Some(("N_TIMEOUT_A", 1001))),
        ),
        (
            Mood::HandsBack,
            ends("N_TIMEOUT_Bs", 1000, Some(("N_TIMEOUT_Cr", 1001))),
        ),
        (Mood::ConfirmsAfter(1010), fine),
        (Mood::ConfirmsTwice, fine),
        (Mood::ConfirmsNever, fine),
        (
            Mood::BusOffAfter(1),
            ends("N_TIMEOUT_Bs", 1002, Some(("N_TIMEOUT_Cr", 1003))),
        ),
    ];
    check_all(Confirmation::OnCommit, 1, 0, &sender);
    check_all(Confirmation::OnCommit, 1, 1, &receiver);
}

/// `SVC-01`, `SVC-09`, `ADR-06`: single frames, physical and functional.
#[test]
fn a_bad_controller_ends_each_single_frame_once() {
    let here = Some(("N_OK", 1));
    let table = [
        (Mood::Refuses, ends("N_ERROR", 0, None)),
        (Mood::Full, ends("N_TIMEOUT_A", 1000, None)),
        (Mood::HandsBack, ends("N_TIMEOUT_A", 1000, None)),
        (Mood::HandsBackOnce, ends("N_OK", 11, Some(("N_OK", 11)))),
        (Mood::ConfirmsAfter(900), ends("N_OK", 901, here)),
        (Mood::ConfirmsAfter(1010), ends("N_TIMEOUT_A", 1000, here)),
        (Mood::ConfirmsTwice, ends("N_OK", 1, here)),
        (Mood::ConfirmsNever, ends("N_TIMEOUT_A", 1000, here)),
        (Mood::BusOffAfter(0), ends("N_TIMEOUT_A", 1000, None)),
    ];
    for (config, _) in configs(Confirmation::Reported, 1) {
        for (mood, expected) in table {
            check(&config, 5, 0, mood, expected);
            check_functional(&config, mood, expected);
        }
    }
}

fn check_functional(config: &Config, mood: Mood, expected: Ends) {
    let case = format!("functional, {mood:?}, {config:?}");
    let mut bench = Bench::new(config);
    bench.set_mood(0, mood);
    bench.send_functional(vec![0x3E, 0x80]);
    bench.run();
    let (result, at) = expected.sender;
    let confirmed = vec![(at, format!("cfmf {result}"))];
    let indicated = expected
        .receiver
        .map(|(_, at)| (at, "indf 3E80".to_owned()));
    assert_eq!(
        bench.heard(),
        [confirmed, Vec::from_iter(indicated)],
        "{case}"
    );
    usable(&mut bench, config, 0, &case);
}

/// What is sent while reports of the message before are still due.
#[derive(Clone, Copy, Debug)]
enum Message {
    Physical(usize),
    Functional,
}

/// `TIM-11`: reports that come after their message has ended, while a frame of the next is in flight,
/// change nothing: the next one goes as it would have gone alone.
#[test]
fn a_report_for_the_message_before_changes_nothing_of_the_next() {
    for (config, len) in configs(Confirmation::Reported, 1) {
        for old in [Mood::ConfirmsAfter(1010), Mood::FailsAfter(1010)] {
            for (bad, message) in [
                (0, Message::Physical(len)),
                (1, Message::Physical(len)),
                (0, Message::Physical(5)),
                (0, Message::Functional),
            ] {
                let case = format!("{old:?} at end {bad}, {message:?}, {config:?}");
                let mut bench = Bench::new(&config);
                play(&mut bench, bad, old, message);
                assert!(bench.owes(), "{case}");
                let heard = play(&mut bench, bad, Mood::ConfirmsAfter(20), message);
                assert!(!bench.owes(), "{case}");
                // and where there is no next one they wake nothing
                play(&mut bench, bad, old, message);
                bench.settle();
                assert_eq!(bench.heard(), [vec![], vec![]], "{case}");
                let alone = play(
                    &mut Bench::new(&config),
                    bad,
                    Mood::ConfirmsAfter(20),
                    message,
                );
                assert_eq!(heard, alone, "{case}");
            }
        }
    }
}

/// What both ends hear of the message, counted from its request.
fn play(bench: &mut Bench, bad: usize, mood: Mood, message: Message) -> [Vec<(u64, String)>; 2] {
    let begin = bench.now();
    bench.set_mood(bad, mood);
    match message {
        Message::Physical(len) => bench.send(0, counting(len)),
        Message::Functional => bench.send_functional(vec![0x3E, 0x80]),
    }
    bench.run();
    bench.heard().map(|heard| {
        let heard = heard.into_iter();
        heard.map(|(at, event)| (at - begin, event)).collect()
    })
}
