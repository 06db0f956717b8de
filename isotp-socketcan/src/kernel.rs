//! The kernel's own ISO-TP sockets.
