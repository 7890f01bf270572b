//! Operations on secretsmanager.
