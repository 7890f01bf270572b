use super::*;

fn single() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

fn staged(stage: Stage) -> Layout {
    Layout::new(LayoutKind::Staged, "bp", Some(stage)).unwrap()
}
