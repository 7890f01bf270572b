//! What the operator asked for, checked before AWS is asked.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{InvalidName, PoolName, SecurityGroupId, SubnetId};
use crate::tasks::Chosen;

/// The databases to migrate and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) central: bool,
    pub(super) tenant: bool,
    /// Without repetitions, in the order given; empty means all.
    pub(super) pools: Vec<PoolName>,
    /// Drop all tables first.
    pub(super) fresh: bool,
    pub(super) snapshot: bool,
    /// Stop the task on Ctrl-C.
    pub(super) stop_on_interrupt: bool,
    /// `None`: those of the running service.
    pub(super) subnets: Option<Chosen>,
    pub(super) security_groups: Option<Chosen>,
}

/// The flags that [`Request`] is made from.
#[derive(Clone, Debug, Default)]
pub(super) struct Flags<'a> {
    pub(super) central: bool,
    pub(super) tenant: bool,
    pub(super) pools: &'a [PoolName],
    pub(super) fresh: bool,
    pub(super) snapshot: bool,
    pub(super) stop_on_interrupt: bool,
    pub(super) subnets: &'a [SubnetId],
    pub(super) security_groups: &'a [SecurityGroupId],
}

impl Request {
    /// The command that asks for the same again. A snapshot that was taken is not taken a second time.
    pub(super) fn again(&self) -> CommandLine {
        let command = self.go_on();
        if self.fresh {
            command.args(["--fresh"])
        } else {
            command
        }
    }

    /// The command that goes on with what is left: tables that were dropped are not dropped again.
    pub(super) fn go_on(&self) -> CommandLine {
        let mut command = CommandLine::bpctl(["migrate"]);
        if self.central {
            command = command.args(["--central"]);
        }
        // Pools mean tenant, but beside `--central` it has to be said.
        if self.tenant && (self.central || self.pools.is_empty()) {
            command = command.args(["--tenant"]);
        }
        if !self.pools.is_empty() {
            let pools: Vec<String> = self.pools.iter().map(ToString::to_string).collect();
            command = command.option("--pools", pools.join(","));
        }
        if self.stop_on_interrupt {
            command = command.args(["--stop-on-interrupt"]);
        }
        Chosen::repeated(command, &self.subnets, &self.security_groups)
    }

    /// # Errors
    /// Flags that contradict each other; environment variables that are no ids.
    pub(super) fn new(flags: &Flags<'_>, env: &BTreeMap<String, String>) -> Result<Self> {
        let mut pools: Vec<PoolName> = Vec::new();
        for pool in flags.pools {
            if !pools.contains(pool) {
                pools.push(pool.clone());
            }
        }
        if !pools.is_empty() && flags.central && !flags.tenant {
            return Err(CtlError::usage(
                "migrate: `--central` leaves the tenant pools out, `--pools` names some",
            )
            .hint("leave out one of them, or migrate both with `--central --tenant --pools …`"));
        }
        Ok(Self {
            central: flags.central,
            tenant: flags.tenant || !pools.is_empty(),
            pools,
            fresh: flags.fresh,
            snapshot: flags.snapshot,
            stop_on_interrupt: flags.stop_on_interrupt,
            subnets: Chosen::subnets(flags.subnets, env)?,
            security_groups: Chosen::security_groups(flags.security_groups, env)?,
        })
    }

    /// The databases in words.
    pub(super) fn scope(&self) -> String {
        let names: Vec<&str> = self.pools.iter().map(PoolName::as_ref).collect();
        let pools = match names.as_slice() {
            [] => "all tenant pools".to_owned(),
            [one] => format!("tenant pool {one}"),
            many => format!("tenant pools {}", many.join(", ")),
        };
        match (self.central, self.tenant) {
            (true, false) => "the central database".to_owned(),
            (false, true) => pools,
            (true, true) | (false, false) => format!("the central database and {pools}"),
        }
    }
}

/// A list of names; `clap` splits at the commas.
pub(super) fn name<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, InvalidName> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn pools(names: &[&str]) -> Vec<PoolName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn request(flags: &Flags<'_>) -> Result<Request> {
        Request::new(flags, &BTreeMap::new())
    }

    #[test]
    fn pools_mean_tenant_and_are_not_repeated() {
        let pools = pools(&["b", "a", "b"]);
        let request = request(&Flags {
            pools: &pools,
            ..Flags::default()
        })
        .unwrap();
        assert!(request.tenant && !request.central);
        assert_eq!(request.pools, [pools[0].clone(), pools[1].clone()]);
        assert_eq!(request.scope(), "tenant pools b, a");
    }

    #[test]
    fn the_way_on_repeats_the_flags_but_drops_no_table_twice() {
        let pools = ["tenant_pool_1".parse().unwrap(), "tenant_pool_2".parse().unwrap()];
        let subnets = ["subnet-0a1b2c3d".parse().unwrap()];
        let flags = Flags {
            central: true,
            tenant: true,
            pools: &pools,
            fresh: true,
            snapshot: true,
            subnets: &subnets,
            ..Flags::default()
        };
        let env = BTreeMap::from([("BACKEND_SG_ID".to_owned(), "sg-0a1b2c3d".to_owned())]);
        let request = Request::new(&flags, &env).unwrap();
        let same =
            "bpctl migrate --central --tenant --pools tenant_pool_1,tenant_pool_2 --subnets subnet-0a1b2c3d";
        assert_eq!(request.go_on().to_string(), same);
        assert_eq!(request.again().to_string(), format!("{same} --fresh"));
        assert_eq!(Request::default().again().to_string(), "bpctl migrate");
    }

    #[test]
    fn central_alone_contradicts_pools() {
        let pools = pools(&["a"]);
        let flags = Flags {
            central: true,
            pools: &pools,
            ..Flags::default()
        };
        assert_eq!(request(&flags).unwrap_err().kind(), ErrorKind::Usage);
        let both = Flags {
            tenant: true,
            ..flags
        };
        assert_eq!(
            request(&both).unwrap().scope(),
            "the central database and tenant pool a"
        );
    }

    #[test]
    fn without_flags_everything_is_migrated() {
        let request = request(&Flags::default()).unwrap();
        assert!(!request.central && !request.tenant);
        assert_eq!(request.scope(), "the central database and all tenant pools");
    }

    #[test]
    fn a_flag_beats_the_environment() {
        let env = env(&[
            ("PRIVATE_SUBNET_IDS", "[\"subnet-0a1b2c3d\",\"subnet-0a1b2c3e\"]"),
            ("BACKEND_SG_ID", "sg-0123456789abcdef0"),
        ]);
        let subnets = ["subnet-00000001".parse().unwrap()];
        let flags = Flags {
            subnets: &subnets,
            ..Flags::default()
        };
        let request = Request::new(&flags, &env).unwrap();
        assert_eq!(request.subnets.unwrap().source, "flag --subnets");
        let groups = request.security_groups.unwrap();
        assert_eq!(
            (groups.ids.as_slice(), groups.source.as_str()),
            (
                &["sg-0123456789abcdef0".to_owned()][..],
                "environment BACKEND_SG_ID"
            )
        );
        let request = Request::new(&Flags::default(), &env).unwrap();
        assert_eq!(
            request.subnets.unwrap().ids,
            ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]
        );
    }

    #[test]
    fn a_bad_environment_is_a_configuration_error() {
        for (name, value) in [
            ("PRIVATE_SUBNET_IDS", "subnet-0a1b2c3d"),
            ("PRIVATE_SUBNET_IDS", "[]"),
            ("PRIVATE_SUBNET_IDS", "[\"subnet-xyz\"]"),
            ("PRIVATE_SUBNET_IDS", "[1]"),
            ("BACKEND_SG_ID", "subnet-0a1b2c3d"),
        ] {
            let error = Request::new(&Flags::default(), &env(&[(name, value)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}={value}");
            assert!(error.message().contains(name), "{error}");
        }
        let empty = env(&[("PRIVATE_SUBNET_IDS", ""), ("BACKEND_SG_ID", "")]);
        let request = Request::new(&Flags::default(), &empty).unwrap();
        assert_eq!((request.subnets, request.security_groups), (None, None));
    }
}
