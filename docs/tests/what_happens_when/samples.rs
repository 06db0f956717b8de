//! One error of each kind, and what it says.

use core::time::Duration;
use std::io;

use isotp_core as core_errors;
use isotp_core::{ChangeError, InsertError, ReconfigureError, Refused, WrongIdLength};
use isotp_driver::{
    Address, AddressError, BusError, Cause, ConfigError, ConnectError, ConnectionError, Half, Id,
    Ignored, NResult, OpenError, RecvTimeoutError, RequestError, SendError, ServerEnd,
    TrySendError,
};

type Samples = Vec<(&'static str, String)>;

macro_rules! samples {
    ($($name:literal => $error:expr),* $(,)?) => {
        vec![$(($name, $error.to_string())),*]
    };
}

pub(crate) fn samples() -> Samples {
    let mut all = results();
    all.extend(sending());
    all.extend(receiving());
    all.extend(opening());
    all.extend(addresses_and_configurations());
    all.extend(ignored());
    all.extend(core_alone());
    #[cfg(target_os = "linux")]
    all.extend(kernel_sockets());
    all
}

fn results() -> Samples {
    let (expected, received) = (3, 5);
    samples![
        "NResult::Ok" => NResult::Ok,
        "NResult::TimeoutA" => NResult::TimeoutA,
        "NResult::TimeoutBs" => NResult::TimeoutBs,
        "NResult::TimeoutCr" => NResult::TimeoutCr,
        "NResult::WrongSn" => NResult::WrongSn { expected, received },
        "NResult::InvalidFs" => NResult::InvalidFs { status: 3 },
        "NResult::UnexpectedPdu" => NResult::UnexpectedPdu,
        "NResult::WaitOverrun" => NResult::WaitOverrun { limit: 32 },
        "NResult::BufferOverflow" => NResult::BufferOverflow,
        "NResult::Error" => NResult::Error(Cause::Aborted),
        "Cause::Aborted" => Cause::Aborted,
        "Cause::Refused" => Cause::Refused,
        "Cause::NoData" => Cause::NoData,
        "Cause::Buffer" => Cause::Buffer,
    ]
}

fn sending() -> Samples {
    use core_errors::SendError as Reason;
    let refused = || Refused {
        error: Reason::Empty,
        payload: Vec::new().into(),
    };
    samples![
        "SendError::Refused" => SendError::Refused(refused()),
        "SendError::Failed" => SendError::Failed(NResult::TimeoutBs),
        "SendError::Connection" => SendError::Connection(ConnectionError::Closed),
        "TrySendError::Refused" => TrySendError::Refused(refused()),
        "TrySendError::Full" => TrySendError::Full(vec![1].into()),
        "TrySendError::Connection" =>
            TrySendError::Connection(ConnectionError::Closed, vec![1].into()),
        "core::SendError::Empty" => Reason::Empty,
        "core::SendError::TooLong" => Reason::TooLong { size: 8, max: 7 },
        "core::SendError::Busy" => Reason::Busy,
        "core::SendError::Receiving" => Reason::Receiving,
        "core::SendError::NoFunctionalId" => Reason::NoFunctionalId,
        "core::SendError::ListenOnly" => Reason::ListenOnly,
        "core::SendError::NoLink" => Reason::NoLink,
    ]
}

fn receiving() -> Samples {
    let pulled = BusError::new("the cable was pulled");
    let window = Duration::from_millis(50);
    samples![
        "ConnectionError::Closed" => ConnectionError::Closed,
        "ConnectionError::Bus" => ConnectionError::Bus(pulled),
        "ConnectionError::Stopped" => ConnectionError::Stopped,
        "RecvTimeoutError::TimedOut" => RecvTimeoutError::TimedOut(window),
        "RecvTimeoutError::Failed" => RecvTimeoutError::Failed(NResult::TimeoutCr),
        "RecvTimeoutError::Connection" => RecvTimeoutError::Connection(ConnectionError::Closed),
        "ServerEnd::Connection" => ServerEnd::Connection(ConnectionError::Closed),
        "ServerEnd::Panicked" => ServerEnd::Panicked,
    ]
}

fn opening() -> Samples {
    let id = standard(0x7E8);
    let pulled = BusError::new("the cable was pulled");
    let io = OpenError::Io {
        doing: "connecting to bench:20000, where isotpserver should listen".into(),
        error: io::ErrorKind::ConnectionRefused.into(),
    };
    samples![
        "OpenError::UnknownScheme" => refused("virtul:demo"),
        "OpenError::Parameter" => refused("virtual:"),
        "OpenError::Io" => io,
        "ConnectError::Config" => ConnectError::Config(ConfigError::InFlight),
        "ConnectError::Queue" => ConnectError::Queue { field: "queue" },
        "ConnectError::NoFd" => ConnectError::NoFd,
        "ConnectError::NoMemory" => ConnectError::NoMemory { capacity: 1 << 40 },
        "ConnectError::AddressInUse" => ConnectError::AddressInUse { id },
        "ConnectError::FormatInUse" => ConnectError::FormatInUse { id },
        "ConnectError::Backend" => ConnectError::Backend(pulled),
        "ConnectError::Network" => ConnectError::Network(ConnectionError::Closed),
        "RequestError::NoResponders" => RequestError::NoResponders,
        "RequestError::Connect" => RequestError::Connect(ConnectError::NoFd),
        "RequestError::Send" => RequestError::Send(SendError::Failed(NResult::TimeoutBs)),
    ]
}

/// What opening a string says.
pub(crate) fn refused(string: &str) -> OpenError {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let opened = runtime
        .unwrap()
        .block_on(isotp_tokio::Network::open(string));
    opened.expect_err(string)
}

/// Where it can be had, the error of the call that gives it.
fn addresses_and_configurations() -> Samples {
    let tester = Address::normal(standard(0x7E0), standard(0x7E8)).unwrap();
    let mixed = Address::mixed_11(standard(0x7E0), standard(0x7E8), 1).unwrap();
    let mut config = isotp_core::Config::new();
    config.transmit.tx_dl = 9;
    let tx_dl = config.check().unwrap_err();
    config = isotp_core::Config::new();
    config.timing.n_bs = Duration::ZERO;
    let timer = config.check().unwrap_err();
    config = isotp_core::Config::new();
    config.transmit.in_flight = 0;
    let in_flight = config.check().unwrap_err();
    let (needed, given) = (62, 7);
    samples![
        "IdError" => Id::standard(0x8E0).unwrap_err(),
        "AddressError::SameIds" => Address::normal(standard(0x7E0), standard(0x7E0)).unwrap_err(),
        "AddressError::SameNodes" => Address::from_halves(Half::normal_fixed(0xF1, 0xF1), Half::normal_fixed(0xF1, 0x10)).unwrap_err(),
        "AddressError::SameFunctionalId" => tester.with_functional_tx(standard(0x7E0)).unwrap_err(),
        "AddressError::Priority" => Address::normal_fixed(0xF1, 0x10).unwrap().with_priority(8).unwrap_err(),
        "AddressError::NotFixed" => tester.with_any_source().unwrap_err(),
        "AddressError::FixedId" => AddressError::FixedId { id: Id::extended(0x18DB_33F1).unwrap() },
        "AddressError::FunctionalFormat" => mixed.with_functional_tx_to(standard(0x7DF), 1).unwrap_err(),
        "ConfigError::TxDl" => tx_dl,
        "ConfigError::InFlight" => in_flight,
        "ConfigError::ReservedStMin" => ConfigError::ReservedStMin { code: 0x80 },
        "ConfigError::StMinTooLong" => isotp_core::StMin::at_least(Duration::from_millis(200)).unwrap_err(),
        "ConfigError::Timer" => timer,
        "ConfigError::NotListening" => ConfigError::NotListening,
        "ConfigError::Spare" => ConfigError::Spare { needed, given },
    ]
}

fn ignored() -> Samples {
    samples![
        "Ignored::FrameKind" => Ignored::FrameKind,
        "Ignored::Length" => Ignored::Length,
        "Ignored::ReservedPci" => Ignored::ReservedPci,
        "Ignored::SingleFrame" => Ignored::SingleFrame,
        "Ignored::FirstFrame" => Ignored::FirstFrame,
        "Ignored::ConsecutiveFrame" => Ignored::ConsecutiveFrame,
        "Ignored::FlowControl" => Ignored::FlowControl,
        "Ignored::UnexpectedConsecutiveFrame" => Ignored::UnexpectedConsecutiveFrame,
        "Ignored::UnexpectedFlowControl" => Ignored::UnexpectedFlowControl,
        "Ignored::HalfDuplex" => Ignored::HalfDuplex,
        "Ignored::Functional" => Ignored::Functional,
        "Ignored::TooLong" => Ignored::TooLong,
        "Ignored::Overflow" => Ignored::Overflow,
        "Ignored::NoRoom" => Ignored::NoRoom,
        "Ignored::OtherSource" => Ignored::OtherSource,
    ]
}

fn core_alone() -> Samples {
    let id = standard(0x7E8);
    samples![
        "InsertError::AddressInUse" => InsertError::AddressInUse { id },
        "InsertError::FormatInUse" => InsertError::FormatInUse { id },
        "InsertError::Full" => InsertError::Full { len: 4 },
        "ReconfigureError::Busy" => ReconfigureError::Busy,
        "ReconfigureError::Config" => ReconfigureError::Config(ConfigError::InFlight),
        "ChangeError::Receiving" => ChangeError::Receiving,
        "ChangeError::WrongParameter" => ChangeError::WrongParameter,
        "ChangeError::WrongValue" => ChangeError::WrongValue { value: 0x80 },
        "WrongIdLength" => WrongIdLength { id },
    ]
}

#[cfg(target_os = "linux")]
fn kernel_sockets() -> Samples {
    use isotp_socketcan::{Kernel, KernelOpenError, KernelOptions, NotSent, RecvError};
    let options = KernelOptions::new(standard(0x7E0), standard(0x7E8)).every_flow_control();
    let unsupported = options.check(Kernel::version(6, 1)).unwrap_err();
    let (size, max) = (9000, 8300);
    samples![
        "NotSent::Busy" => NotSent::Busy,
        "NotSent::QueueFull" => NotSent::QueueFull,
        "NotSent::Size" => NotSent::Size { size, max },
        "NotSent::TimedOut" => NotSent::TimedOut,
        "RecvError::Truncated" => RecvError::Truncated { needed: 300 },
        "RecvError::Failed" => RecvError::Failed(NResult::TimeoutCr),
        "KernelOpenError::Unsupported" => KernelOpenError::Unsupported(unsupported),
    ]
}

fn standard(value: u16) -> Id {
    Id::standard(value).unwrap()
}
