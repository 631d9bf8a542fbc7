//! The gRPC face of the embedded store: it speaks the protocol of `KurrentDB`'s clients.
