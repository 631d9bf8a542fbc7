//! Whatever is done to it, an instance can still finish.
