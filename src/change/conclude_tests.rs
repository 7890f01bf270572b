use super::*;

fn words() -> Words {
    Words {
        goal: "take all fleets to zero".to_owned(),
        thing: "fleet",
        settle: "see every instance leave".to_owned(),
        following: String::new(),
    }
}
