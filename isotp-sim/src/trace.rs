//! What happened in a run, as text that candump's readers understand.

use core::fmt;

use isotp_core::{Frame, Instant};

use crate::node::Happening;
use crate::world::NodeId;

/// Frames and events in the order in which they happened.
///
/// Its `Display` writes frames as candump's log does, `(0.001234) sim 7E0#021003`, and events as
/// comments, `# (0.001234) ecu: received 2 bytes`; can-utils and most other tools read the frames.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub(crate) entries: Vec<Entry>,
    pub(crate) names: Vec<String>,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When. Frames are here as a listener hears them: late or twice where faults say so, and not at
    /// all where they were lost.
    pub at: Instant,
    /// Whose frame or event it is; `None` for a frame of a port that is no node of the world.
    pub node: Option<NodeId>,
    /// What it is.
    pub what: What,
}

/// A frame or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A frame of this node is on the bus.
    Frame(Frame),
    /// Something happened to the link in this slot.
    Event {
        /// The slot of the link in a router; 0 for a lone link.
        slot: u32,
        /// What happened.
        event: Happening,
    },
}

impl Trace {
    /// All entries, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The frames of all nodes.
    pub fn frames(&self) -> impl Iterator<Item = (Instant, Option<NodeId>, &Frame)> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Frame(frame) => Some((entry.at, entry.node, frame)),
            What::Event { .. } => None,
        })
    }

    /// The events of all nodes.
    pub fn events(&self) -> impl Iterator<Item = (Instant, Option<NodeId>, u32, &Happening)> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Frame(_) => None,
            What::Event { slot, event } => Some((entry.at, entry.node, *slot, event)),
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            let micros = entry.at.as_micros();
            let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
            match &entry.what {
                What::Frame(frame) => writeln!(f, "({seconds}.{fraction:06}) sim {frame}")?,
                What::Event { slot, event } => {
                    let name = entry.node.and_then(|node| self.names.get(node.index()));
                    let name = name.map_or("?", String::as_str);
                    write!(f, "# ({seconds}.{fraction:06}) {name}")?;
                    if *slot > 0 {
                        write!(f, "[{slot}]")?;
                    }
                    writeln!(f, ": {event}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use isotp_core::{Address, Config, GrowingBuffer, Id, Instant, Link};

    use crate::{Bus, BusConfig, Stop, World};

    static CONFIG: Config = Config::new();

    /// Frames as candump logs them, events as comments, timeouts at their time.
    #[test]
    fn a_trace_reads_like_a_candump_log() {
        let (tx, rx) = (Id::standard(0x7E0).unwrap(), Id::standard(0x7E8).unwrap());
        let address = Address::normal(tx, rx).unwrap();
        let link = |address| Link::new(address, &CONFIG, GrowingBuffer::new(4095)).unwrap();
        let mut world = World::new(Bus::new(BusConfig::default()));
        let tester = world.add("tester", link(address));
        let ecu = world.add("ecu", link(address.reversed()));
        assert_eq!(world.run_until(Instant::from_micros(1234)), Stop::Quiet);
        let now = world.now();
        world.node_mut(tester).send(now, vec![0x10, 0x03]).unwrap();
        world.node_mut(ecu).send(now, vec![0x50, 0x03]).unwrap();
        assert_eq!(world.run(), Stop::Quiet);
        let expected = "\
# (0.001234) tester: sent, N_OK
# (0.001234) ecu: sent, N_OK
(0.001234) sim 7E0#021003
(0.001234) sim 7E8#025003
# (0.001234) tester: received 2 bytes
# (0.001234) ecu: received 2 bytes
";
        assert_eq!(world.trace().to_string(), expected);
    }
}
