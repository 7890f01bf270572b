//! Regions of AWS: what is none is said before any call, with the region that was meant.

/// Partitions and their regions (botocore's `partitions.json`, which AWS publishes with its SDKs).
const PARTITIONS: &[(&str, &[&str])] = &[
    (
        "aws",
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
    ("aws-iso", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", &["us-isob-east-1", "us-isob-west-1"]),
    ("aws-iso-e", &["eu-isoe-west-1"]),
    ("aws-iso-f", &["us-isof-east-1", "us-isof-south-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
];

/// Directions that names of regions are made of.
const DIRECTIONS: &[&str] = &[
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

fn all() -> impl Iterator<Item = &'static str> {
    PARTITIONS.iter().flat_map(|(_, regions)| regions.iter().copied())
}

/// `(area, direction, number)`, e.g. `(us-gov, west, 1)`.
fn parts(region: &str) -> Option<(&str, &str, u8)> {
    let (rest, number) = region.rsplit_once('-')?;
    let (area, direction) = rest.rsplit_once('-')?;
    let number = number
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| number.parse().ok())??;
    Some((area, direction, number))
}

/// The partition that a region is in.
pub(crate) fn partition(region: &str) -> Option<&'static str> {
    let of = |region: &str| {
        let found = PARTITIONS.iter().find(|(_, regions)| regions.contains(&region));
        found.map(|(partition, _)| *partition)
    };
    of(region).or_else(|| {
        // A region that opened lately is in the partition of its neighbours.
        let (area, ..) = parts(region)?;
        of(all().find(|known| parts(known).is_some_and(|(known, ..)| known == area))?)
    })
}

/// The region as it is to be used.
///
/// A region that AWS opened after this list was made passes: it lies in an area that is known, in a direction
/// that there is, and its number is the next one.
///
/// # Errors
/// Why it cannot be a region, and which one was meant.
pub(super) fn check(given: &str) -> Result<String, String> {
    let trimmed = given.trim();
    if trimmed.is_empty() {
        return Err("the region is empty".to_owned());
    }
    if trimmed != given {
        return Err(format!("`{given}` has a blank too many: write `{trimmed}`"));
    }
    if all().any(|known| known == given) || is_next(given) {
        return Ok(given.to_owned());
    }
    if let Some(region) = all().find(|region| is_inside(given, region)) {
        return Err(format!(
            "`{given}` is a zone, not a region: its region is `{region}`"
        ));
    }
    let lower = given.to_ascii_lowercase().replace(['_', ' '], "-");
    match nearest(&lower) {
        Some(near) => Err(format!(
            "`{given}` is not a region of AWS: did you mean `{near}`?"
        )),
        None => Err(format!(
            "`{given}` is not a region of AWS: write one like `us-east-1`"
        )),
    }
}

/// Whether an emulator's own word for a region: it is no mistyped region of AWS.
pub(super) fn is_foreign(given: &str) -> bool {
    let word = !given.is_empty() && given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    word && given.split('-').count() < 3 && !all().any(|known| strsim::levenshtein(known, given) < 3)
}

/// Whether `given` may be a region that is newer than the list.
fn is_next(given: &str) -> bool {
    let Some((area, direction, number)) = parts(given) else {
        return false;
    };
    let in_area = || all().filter_map(parts).filter(|(known, ..)| *known == area);
    let numbers = in_area()
        .filter(|(_, known, _)| *known == direction)
        .map(|(.., number)| number);
    let newest = numbers.max().unwrap_or(0);
    in_area().next().is_some() && DIRECTIONS.contains(&direction) && number == newest + 1
}

/// `us-west-2a`, `us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1`.
fn is_inside(given: &str, region: &str) -> bool {
    let Some(rest) = given.strip_prefix(region) else {
        return false;
    };
    let zone = rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_lowercase());
    zone || rest.starts_with('-')
}

fn nearest(given: &str) -> Option<&'static str> {
    all()
        .map(|region| (strsim::osa_distance(given, region), region))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, region)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_region_names_the_one_that_was_meant() {
        for (given, meant) in [
            ("us-eest-1", "us-east-1"),
            ("us-esat-1", "us-east-1"),
            ("US-EAST-1", "us-east-1"),
            ("us_west_2", "us-west-2"),
            ("us-east1", "us-east-1"),
            ("us-east-1 ", "write `us-east-1`"),
            ("us-west-2a", "is a zone, not a region: its region is `us-west-2`"),
            ("us-west-2-lax-1a", "its region is `us-west-2`"),
            ("us-east-1-wl1-bos-wlz-1", "its region is `us-east-1`"),
            ("eu-wset-1", "eu-west-1"),
            ("frankfurt", "write one like"),
            (" ", "empty"),
            ("us-east-9", "us-east-1"),
        ] {
            let reason = check(given).unwrap_err();
            assert!(reason.contains(meant), "{given}: {reason}");
        }
    }

    #[test]
    fn regions_pass_those_of_tomorrow_too() {
        for given in [
            "us-east-1",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "ap-southeast-8",
            "eu-north-2",
        ] {
            assert_eq!(check(given).unwrap(), given);
        }
        assert_eq!(partition("us-gov-east-1"), Some("aws-us-gov"));
        assert_eq!(partition("eu-north-2"), Some("aws"));
        assert_eq!(partition("local"), None);
    }

    #[test]
    fn an_emulators_word_is_no_typo() {
        assert!(is_foreign("local") && is_foreign("test-1"));
        assert!(!is_foreign("us-east1") && !is_foreign("us-west-2a") && !is_foreign(""));
    }
}
