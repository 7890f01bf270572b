//! The templates of the single layout, letter for letter: stacks that are deployed from them see no difference.

use super::{full, made, plain, upstream};

/// 64 bits of a text (FNV-1a).
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A change of one of these is a change of stacks that run: it belongs into the changelog.
const DIGESTS: &[&str] = &[
    "plain mended bp-cicd f2862ead3436a189",
    "plain mended bp-network e5aac2ea5d8a7ac7",
    "plain mended bp-data 1785c0742fe99862",
    "plain mended bp-compute e4b1f428496009c1",
    "plain mended bp-monitoring 6e24f93ffe4be7e7",
    "plain mended bp-gpu-shared 4cadc6c5b01e8ef4",
    "plain mended bp-gpu-fleet-production-gpu-default c9071c8d9e8dc9bd",
    "plain upstream bp-cicd f2862ead3436a189",
    "plain upstream bp-network e5aac2ea5d8a7ac7",
    "plain upstream bp-data aa99f14042e83646",
    "plain upstream bp-compute c4fe4cd0b367db39",
    "plain upstream bp-monitoring 6e24f93ffe4be7e7",
    "plain upstream bp-gpu-shared 4cadc6c5b01e8ef4",
    "plain upstream bp-gpu-fleet-production-gpu-default a96fb48c1a789222",
    "full mended bp-cicd 526797396f815409",
    "full mended bp-network 1cafbdcebb8f2065",
    "full mended bp-data 835b28728eb32741",
    "full mended bp-compute 3a43db155ee50c5e",
    "full mended bp-monitoring 1858ed669293c904",
    "full mended bp-gpu-shared 4cadc6c5b01e8ef4",
    "full mended bp-gpu-fleet-production-gpu-default 59f40989685bb243",
    "full mended bp-gpu-fleet-production-upscale 606525bfe969540f",
    "full mended bp-gpu-fleet-staging-gpu-default c4ff814a8b7e3075",
    "full upstream bp-cicd 526797396f815409",
    "full upstream bp-network 1cafbdcebb8f2065",
    "full upstream bp-data b72de59c91fc1f65",
    "full upstream bp-compute dc52ae8ea8f49eca",
    "full upstream bp-monitoring 1858ed669293c904",
    "full upstream bp-gpu-shared 4cadc6c5b01e8ef4",
    "full upstream bp-gpu-fleet-production-gpu-default 2047aaaf308561dc",
    "full upstream bp-gpu-fleet-production-upscale e260ee06e8885161",
    "full upstream bp-gpu-fleet-staging-gpu-default c888d56496a45464",
];

#[test]
fn a_deployed_stack_of_the_single_layout_does_not_change_by_itself() {
    let mut found = Vec::new();
    for (platform, settings) in [("plain", plain()), ("full", full())] {
        for (kind, settings) in [("mended", settings.clone()), ("upstream", upstream(&settings))] {
            for stack in made(&settings) {
                let text = stack.template.to_string();
                found.push(format!("{platform} {kind} {} {:016x}", stack.name, digest(&text)));
            }
        }
    }
    assert_eq!(found, DIGESTS);
}
