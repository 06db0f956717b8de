//! Senders, receivers and the codec in the hands of a caller who keeps no promise: another
//! configuration with each call, N_PDUs that no frame can hold, tokens of its own making.
//!
//! Nothing panics, also not where a debug build checks the arithmetic. The seed of a failing run is
//! printed.

use core::time::Duration;

use isotp_core::pdu::{self, FlowControl, FlowStatus, Pdu, Reading};
use isotp_core::{
    Config, Confirmation, Frame, FrameKind, Half, Id, Instant, Receiver, RxPadding, Sender, StMin,
    Transmit, TxToken,
};

use crate::random::Random;

/// `RXE-03`, `PCI-10`: no N_PDU, however impossible, makes a receiver overrun, and no message is longer
/// than its buffer.
#[test]
fn a_receiver_takes_n_pdus_that_no_frame_can_hold() {
    for seed in 1..=20_000 {
        run(seed, |random| {
            let config = checked(random);
            let mut memory = [0; 300];
            let room = [0, 8, 20, 300][random.below(4) as usize];
            let mut spare = [0; 300];
            let spare = &mut spare[..[62, 64, 300][random.below(3) as usize]];
            let mut receiver = Receiver::new(&config, &mut memory[..room], spare).unwrap();
            for _ in 0..30 {
                receive(&mut receiver, random);
                while let Some(event) = receiver.poll_event() {
                    if let isotp_core::Event::Received(message) = event {
                        assert!(message.data().len() <= room, "longer than its buffer");
                    }
                }
            }
        });
    }
}

/// `PCI-05`, `TXF-02`: a configuration that changes under a transfer, to one that no link would take, ends
/// it at the worst.
#[test]
fn a_sender_bears_another_configuration_at_each_call() {
    for seed in 1..=20_000 {
        run(seed, |random| {
            let mut sender = Sender::<&[u8]>::new();
            let memory = [0x5A; 5000];
            let (mut frame, mut tokens) = (Frame::new(), Vec::new());
            for _ in 0..30 {
                let (now, config, half) = (instant(random), any_config(random), half(random));
                let len = [1, 7, 8, 20, 4095, 5000][random.below(6) as usize];
                match random.below(7) {
                    0 | 1 => _ = sender.send(now, half, &config, &memory[..len]),
                    2 => _ = sender.handle_flow_control(now, &config, flow(random)),
                    3 => sender.handle_transmitted(now, &config, token(random, &tokens)),
                    4 => sender.handle_failed(token(random, &tokens)),
                    5 => sender.handle_timeout(now, &config),
                    _ => {
                        let offer = sender.poll_transmit(now, half, &config, &mut frame);
                        tokens.extend(settle(random, offer));
                        assert!(frame.data().len() <= 64);
                    }
                }
                let _ = sender.poll_timeout(&config);
                assert!(sender.sent() <= 5000);
                if random.below(3) == 0 {
                    sender.poll_confirm();
                }
            }
        });
    }
}

/// `TXF-05`: what does not fit a frame is cut off, whatever the configuration says.
#[test]
fn the_codec_writes_n_pdus_that_no_frame_can_hold() {
    for seed in 1..=20_000 {
        run(seed, |random| {
            let bytes = random.bytes(300);
            let mut frame = Frame::new();
            any_pdu(random, &bytes).encode(half(random), &any_config(random), &mut frame);
            assert!(frame.data().len() <= 64);
            let reading = Reading {
                padding: padding(random),
                lenient_length: random.below(2) == 0,
            };
            let prefix_len = [0, 1, 2, 7, 63, usize::MAX][random.below(6) as usize];
            let _ = Pdu::decode(&bytes, prefix_len, reading);
        });
    }
}

#[test]
fn capacities_of_impossible_frames_are_numbers() {
    for tx_dl in [0, 1, 8, 9, 64, usize::MAX] {
        for prefix_len in [0, 1, usize::MAX] {
            assert!(pdu::single_capacity(tx_dl, prefix_len) <= tx_dl);
            assert!(pdu::first_capacity(tx_dl, prefix_len, 4096) <= tx_dl);
            assert!(pdu::consecutive_capacity(tx_dl, prefix_len) <= tx_dl);
        }
    }
}

fn run(seed: u64, test: impl FnOnce(&mut Random) + core::panic::UnwindSafe) {
    if let Err(panic) = std::panic::catch_unwind(|| test(&mut Random::new(seed))) {
        eprintln!("seed {seed}");
        std::panic::resume_unwind(panic);
    }
}

fn receive(receiver: &mut Receiver<&mut [u8], &mut [u8]>, random: &mut Random) {
    let (now, config) = (instant(random), any_config(random));
    let mut frame = Frame::new();
    match random.below(8) {
        0 => receiver.handle_timeout(now, &config),
        1 => receiver.handle_transmitted(now, &config, token(random, &[])),
        2 => receiver.handle_failed(now, &config, token(random, &[])),
        3 | 4 => {
            let offer = receiver.poll_transmit(now, half(random), &config, &mut frame);
            settle(random, offer);
        }
        _ => {
            let bytes = random.bytes(300);
            let pdu = any_pdu(random, &bytes);
            let can_dl = [0, 1, 7, 8, 64, 256, 263, usize::MAX][random.below(8) as usize];
            let _ = receiver.handle_pdu(now, &config, pdu, can_dl, 0);
        }
    }
    let _ = receiver.poll_timeout(&config);
}

fn settle(random: &mut Random, offer: Option<Transmit<'_>>) -> Option<TxToken> {
    let offer = offer?;
    match random.below(8) {
        0 => offer.reject(instant(random)),
        1 => {}
        _ => return Some(offer.commit(instant(random))),
    }
    None
}

fn token(random: &mut Random, given: &[TxToken]) -> TxToken {
    match given.last() {
        Some(token) if random.below(4) > 0 => *token,
        _ => TxToken::from_bits(random.below(64)),
    }
}

/// Any bytes, and any numbers beside them.
fn any_pdu<'a>(random: &mut Random, bytes: &'a [u8]) -> Pdu<'a> {
    let len = [0, 1, 5, 6, 7, 62, 63, 260, 300][random.below(9) as usize];
    let data = &bytes[..bytes.len().min(len)];
    match random.below(8) {
        0 => Pdu::SingleFrame { data },
        1 | 2 => Pdu::FirstFrame {
            size: [0, 1, 6, 20, 300, 4095, 4096, u32::MAX][random.below(8) as usize],
            data,
        },
        3 => Pdu::FlowControl(flow(random)),
        _ => Pdu::ConsecutiveFrame {
            sequence_number: [1, 2, 3, 16, 255][random.below(5) as usize],
            data,
        },
    }
}

fn flow(random: &mut Random) -> FlowControl {
    FlowControl {
        status: match random.below(5) {
            0 => FlowStatus::Wait,
            1 => FlowStatus::Reserved(random.below(256) as u8),
            2 => FlowStatus::Overflow,
            _ => FlowStatus::ContinueToSend,
        },
        block_size: random.below(4) as u8,
        st_min: StMin::from_wire(random.below(256) as u8),
    }
}

/// One that a receiver can be made with.
fn checked(random: &mut Random) -> Config {
    loop {
        let config = any_config(random);
        if config.check().is_ok() {
            return config;
        }
    }
}

/// Anything that the type allows.
fn any_config(random: &mut Random) -> Config {
    let mut config = Config::new();
    if random.below(2) == 0 {
        config.kind = FrameKind::Fd { brs: true };
    }
    config.transmit.tx_dl = [8, 8, 8, 64, 0, 1, 12, 255][random.below(8) as usize];
    config.transmit.in_flight = [1, 2, 255, 0][random.below(4) as usize];
    config.transmit.max_wait = [None, Some(0), Some(255)][random.below(3) as usize];
    config.transmit.pad_to_8 = random.below(2) == 0;
    config.receive.block_size = random.below(3) as u8;
    config.receive.padding = padding(random);
    config.receive.listen_only = random.below(6) == 0;
    if random.below(2) == 0 {
        config.confirmation = Confirmation::Reported;
    }
    let lasts = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_secs(1),
        Duration::MAX,
    ];
    if random.below(4) == 0 {
        config.timing.n_as = lasts[random.below(4) as usize];
        config.timing.n_br = lasts[random.below(4) as usize];
    }
    config
}

fn padding(random: &mut Random) -> RxPadding {
    [RxPadding::Any, RxPadding::Padded, RxPadding::Exact][random.below(3) as usize]
}

fn half(random: &mut Random) -> Half {
    let id = Id::standard(0x7E0).unwrap();
    match random.below(2) {
        0 => Half::normal(id),
        _ => Half::extended(id, 0x10),
    }
}

fn instant(random: &mut Random) -> Instant {
    let micros = match random.below(16) {
        0 => u64::MAX - random.below(2),
        1 => random.below(1 << 40),
        _ => random.below(1000),
    };
    Instant::from_micros(micros)
}
