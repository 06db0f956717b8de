//! Which links the kernel can carry: an address and a configuration as socket options.

use core::fmt;
use core::time::Duration;

use isotp_driver::{Address, Config, Duplex, FlowControlUse, FrameKind, RxPadding};

use super::options::KernelOptions;
use super::version::Kernel;

/// Fields of an address and a configuration that the kernel cannot honour, with what it does instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacles(Vec<String>);

impl fmt::Display for Obstacles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl core::error::Error for Obstacles {}

impl KernelOptions {
    /// The options for this link, if the kernel can honour each field of address and configuration.
    ///
    /// | field | what the kernel honours |
    /// |---|---|
    /// | address | normal, normal fixed, extended, mixed 11 and 29; both halves with or without an address byte; tx and rx ids that differ; the priority of a fixed address is part of its id |
    /// | functional ids, any source | no |
    /// | `kind`, `transmit.tx_dl` | yes |
    /// | `transmit.pad_to_8`, `pad_byte` | yes; unpadded FD frames above 8 bytes hold 0xCC |
    /// | `transmit.flow_control` | `FirstOnly`; `Every` since Linux 6.9 |
    /// | `transmit.max_wait` | `None`: any number of WAITs |
    /// | `transmit.in_flight` | any: the kernel has one |
    /// | `receive.block_size`, `st_min` | yes |
    /// | `receive.max_wait` | 0: it never sends WAIT |
    /// | `receive.padding` | `Any` |
    /// | `receive.any_kind`, `listen_only` | no |
    /// | `receive.lenient_length` | any: malformed frames are read the kernel's way |
    /// | `timing` | `n_as`, `n_ar`, `n_bs`, `n_cr` of 1 s, which are the kernel's own (its N_As is 2 s); `n_br` and `n_cs` do not matter |
    /// | `duplex` | `Full` |
    /// | `max_message` | up to what the kernel takes |
    ///
    /// # Errors
    /// [`Obstacles`]: every field that it cannot honour.
    pub fn for_link(address: &Address, config: &Config, kernel: Kernel) -> Result<Self, Obstacles> {
        let mut obstacles = address_obstacles(address);
        obstacles.extend(sending_obstacles(config, kernel));
        obstacles.extend(receiving_obstacles(config, kernel));
        if !obstacles.is_empty() {
            return Err(Obstacles(obstacles));
        }
        let protocol = &config.protocol;
        let mut options = Self::new(address.tx().id(), address.rx().id())
            .link_layer(protocol.kind, protocol.transmit.tx_dl)
            .flow_control(protocol.receive.block_size, protocol.receive.st_min)
            .frame_time(Duration::ZERO);
        if let (Some(sent), Some(received)) = (address.tx().byte(), address.rx().byte()) {
            options = options.address_bytes(sent, received);
        }
        if protocol.transmit.pad_to_8 {
            options = options.pad_sent(protocol.transmit.pad_byte);
        }
        if protocol.transmit.flow_control == FlowControlUse::Every {
            options = options.every_flow_control();
        }
        Ok(options)
    }
}

fn address_obstacles(address: &Address) -> Vec<String> {
    let (tx, rx) = (address.tx(), address.rx());
    let mut obstacles = Vec::new();
    if address.functional_tx().is_some() || address.functional_rx().is_some() {
        obstacles.push("the address has functional ids, and a kernel socket has one pair".into());
    }
    if address.any_source() {
        obstacles.push("the address receives from any source, and a kernel socket from one".into());
    }
    if tx.prefix_len() != rx.prefix_len() {
        obstacles.push(
            "one half of the address has an address byte, and the kernel wants both or none".into(),
        );
    }
    if tx.id() == rx.id() {
        let id = tx.id();
        obstacles.push(format!(
            "tx_id and rx_id are both {id}, and the kernel wants two"
        ));
    }
    obstacles
}

fn sending_obstacles(config: &Config, kernel: Kernel) -> Vec<String> {
    let transmit = &config.protocol.transmit;
    let mut obstacles = Vec::new();
    if transmit.flow_control == FlowControlUse::Every && !kernel.is_at_least(6, 9) {
        obstacles.push(format!(
            "transmit.flow_control is Every, and {kernel} takes the first of a message only (6.9 takes \
             every)"
        ));
    }
    if let Some(limit) = transmit.max_wait {
        obstacles.push(format!(
            "transmit.max_wait is {limit}, and the kernel waits without a limit"
        ));
    }
    let fd = matches!(config.protocol.kind, FrameKind::Fd { .. });
    if fd && transmit.tx_dl > 8 && !transmit.pad_to_8 && transmit.pad_byte != 0xCC {
        obstacles.push(format!(
            "transmit.pad_byte is {:#04X}, and the kernel fills long FD frames with 0xCC unless pad_to_8 \
             is set",
            transmit.pad_byte
        ));
    }
    let timing = &config.protocol.timing;
    for (field, value) in [
        ("n_as", timing.n_as),
        ("n_ar", timing.n_ar),
        ("n_bs", timing.n_bs),
        ("n_cr", timing.n_cr),
    ] {
        if value != Duration::from_secs(1) {
            obstacles.push(format!(
                "timing.{field} is {value:?}, and the kernel's timers cannot be set (1 s stands for them)"
            ));
        }
    }
    if config.protocol.duplex == Duplex::Half {
        obstacles.push("duplex is Half, and the kernel does not wait with sending".into());
    }
    obstacles
}

fn receiving_obstacles(config: &Config, kernel: Kernel) -> Vec<String> {
    let receive = &config.protocol.receive;
    let mut obstacles = Vec::new();
    if receive.max_wait != 0 {
        obstacles.push(format!(
            "receive.max_wait is {}, and the kernel sends no FC.WAIT",
            receive.max_wait
        ));
    }
    if receive.padding != RxPadding::Any {
        obstacles.push(format!(
            "receive.padding is {:?}, and the kernel would check flow control too, and fail what is to \
             be ignored",
            receive.padding
        ));
    }
    if receive.any_kind {
        obstacles.push("receive.any_kind is set, and the kernel takes one kind of frames".into());
    }
    if receive.listen_only {
        obstacles.push("receive.listen_only is set, and the kernel has no N_Cr then".into());
    }
    if config.max_message > kernel.max_message() {
        obstacles.push(format!(
            "max_message is {}, and this kernel takes at most {}{}",
            config.max_message,
            kernel.max_message(),
            if kernel.is_at_least(6, 4) {
                " (parameter max_pdu_size of the module can-isotp)"
            } else {
                ""
            }
        ));
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use isotp_driver::{Half, Id};

    use super::*;

    const NOW: Kernel = Kernel::version(6, 1);

    fn id(value: u16) -> Id {
        Id::standard(value).unwrap()
    }

    fn plain() -> Address {
        Address::normal(id(0x7E0), id(0x7E8)).unwrap()
    }

    #[test]
    fn the_preset_of_the_kernel_is_honoured_by_every_kernel() {
        for (major, minor) in [(5, 10), (5, 18), (6, 1), (6, 4), (6, 9), (7, 0)] {
            let kernel = Kernel::version(major, minor);
            let options = KernelOptions::for_link(&plain(), &Config::linux_kernel(), kernel);
            assert!(options.unwrap().check(kernel).is_ok(), "{kernel}");
        }
    }

    #[test]
    fn every_field_that_the_kernel_cannot_honour_is_named() {
        type Change = fn(&mut Config);
        let changes: &[(&str, Change)] = &[
            ("receive.max_wait is 3", |c| c.protocol.receive.max_wait = 3),
            ("transmit.max_wait is 9", |c| {
                c.protocol.transmit.max_wait = Some(9);
            }),
            ("transmit.flow_control is Every", |c| {
                c.protocol.transmit.flow_control = FlowControlUse::Every;
            }),
            ("transmit.pad_byte is 0x55", |c| {
                c.protocol.kind = FrameKind::Fd { brs: false };
                c.protocol.transmit.tx_dl = 64;
                c.protocol.transmit.pad_byte = 0x55;
            }),
            ("timing.n_as is 2s", |c| {
                c.protocol.timing.n_as = Duration::from_secs(2);
            }),
            ("timing.n_ar is 2s", |c| {
                c.protocol.timing.n_ar = Duration::from_secs(2);
            }),
            ("timing.n_bs is 2s", |c| {
                c.protocol.timing.n_bs = Duration::from_secs(2);
            }),
            ("timing.n_cr is 2s", |c| {
                c.protocol.timing.n_cr = Duration::from_secs(2);
            }),
            ("duplex is Half", |c| c.protocol.duplex = Duplex::Half),
            ("receive.padding is Exact", |c| {
                c.protocol.receive.padding = RxPadding::Exact;
            }),
            ("receive.any_kind", |c| c.protocol.receive.any_kind = true),
            ("receive.listen_only", |c| {
                c.protocol.receive.listen_only = true;
            }),
            ("max_message is 66001", |c| c.max_message = 66_001),
        ];
        for (expected, change) in changes {
            let mut config = Config::linux_kernel();
            change(&mut config);
            let obstacles = KernelOptions::for_link(&plain(), &config, NOW).unwrap_err();
            let text = obstacles.to_string();
            assert!(text.starts_with(expected), "{text}");
            assert_eq!(obstacles.0.len(), 1, "{text}");
        }
        let all = KernelOptions::for_link(&plain(), &Config::default(), NOW).unwrap_err();
        assert!(all.0.len() > 2, "{all}");
    }

    #[test]
    fn the_page_for_the_bench_quotes_what_mostly_decides() {
        let mut config = Config::default();
        config.protocol.timing.n_bs = Duration::from_secs(2);
        let functional = plain().with_functional_tx(id(0x7DF)).unwrap();
        let obstacles = KernelOptions::for_link(&functional, &config, Kernel::version(6, 9));
        crate::page::assert_quotes("what is asked for", obstacles.unwrap_err().0);
    }

    #[test]
    fn addresses_that_the_kernel_cannot_have_are_told_apart() {
        let config = Config::linux_kernel();
        let functional = plain().with_functional_tx(id(0x7DF)).unwrap();
        let any = Address::normal_fixed(0xF1, 1).unwrap().with_any_source();
        let uneven = Address::from_halves(Half::normal(id(1)), Half::extended(id(2), 3));
        let shared = Address::extended(id(1), 1, id(1), 2);
        for (address, expected) in [
            (functional, "functional"),
            (any.unwrap(), "any source"),
            (uneven.unwrap(), "one half"),
            (shared.unwrap(), "both 001"),
        ] {
            let obstacles = KernelOptions::for_link(&address, &config, NOW).unwrap_err();
            assert!(obstacles.to_string().contains(expected), "{obstacles}");
        }
        for address in [
            Address::normal_fixed(0xF1, 1),
            Address::mixed_29(0xF1, 1, 9),
            Address::mixed_11(id(1), id(2), 9),
            Address::extended(id(1), 1, id(2), 2),
            Address::from_halves(Half::extended(id(1), 7), Half::mixed_11(id(2), 8)),
        ] {
            let address = address.unwrap();
            let options = KernelOptions::for_link(&address, &config, NOW).unwrap();
            let bytes = (address.tx().byte(), address.rx().byte());
            assert_eq!(options.addresses.map(|[a, b]| (Some(a), Some(b))), {
                bytes.0.is_some().then_some(bytes)
            });
            assert_eq!(options.tx_id, address.tx().id());
        }
    }
}
