//! Auto Scaling of queue-driven GPU fleets as a pure library.
