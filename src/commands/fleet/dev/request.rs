//! What a development instance is asked for with: who may reach it, for how long, and the script of its first boot.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range of IPv4 addresses, e.g. `203.0.113.7/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    network: Ipv4Addr,
    length: u8,
}

impl Cidr {
    /// Whether it holds every address.
    pub(super) fn is_everything(self) -> bool {
        self.length == 0
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.length)
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(match text.parse::<Ipv4Addr>() {
                Ok(_) => format!("one address is written `{text}/32`"),
                Err(_) => "write a range of IPv4 addresses, e.g. `203.0.113.7/32`".to_owned(),
            });
        };
        let network: Ipv4Addr = address
            .parse()
            .map_err(|_| format!("`{address}` is no IPv4 address"))?;
        let length = length.parse::<u8>().ok().filter(|length| *length <= 32);
        let length = length.ok_or("the length of the prefix is a number from 0 to 32")?;
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let first = Ipv4Addr::from(u32::from(network) & mask);
        if first != network {
            return Err(format!("the range begins with `{first}/{length}`"));
        }
        Ok(Self { network, length })
    }
}

/// The script of the first boot. An instance that is started again runs it no more, and has no timer.
pub(super) fn user_data(hours: u32) -> String {
    let minutes = hours * 60;
    let warned = minutes.saturating_sub(30).max(1);
    format!(
        "#!/bin/bash\n\
         exec >>/var/log/dev-gpu-setup.log 2>&1\n\
         set -x\n\
         shutdown -h +{minutes}\n\
         systemd-run --on-active={warned}m wall 'This instance stops in 30 minutes'\n\
         systemctl disable --now comfyui-worker.service\n\
         systemctl enable --now amazon-ssm-agent || systemctl enable --now snap.amazon-ssm-agent.amazon-ssm-agent\n\
         systemctl enable comfyui.service\n\
         systemctl restart comfyui.service\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_whole_networks() {
        for good in ["203.0.113.7/32", "10.0.0.0/8", "0.0.0.0/0"] {
            assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
        }
        for (bad, why) in [
            ("203.0.113.7", "written `203.0.113.7/32`"),
            ("203.0.113.7/24", "begins with `203.0.113.0/24`"),
            ("203.0.113.7/33", "from 0 to 32"),
            ("203.0.113/24", "no IPv4 address"),
            ("::/0", "no IPv4 address"),
            ("home", "write a range"),
        ] {
            let error = bad.parse::<Cidr>().unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().is_everything());
    }

    #[test]
    fn the_script_stops_the_instance_after_the_hours() {
        let script = user_data(4);
        assert!(
            script.starts_with("#!/bin/bash\n") && script.contains("\nshutdown -h +240\n"),
            "{script}"
        );
        assert!(script.contains("--on-active=210m "), "{script}");
    }
}
