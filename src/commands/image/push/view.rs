//! What became of images that were to be pushed.

use schemars::JsonSchema;
use serde::Serialize;

use super::ImageSeen;
use crate::change::RunId;
use crate::commands::deploy::images::brief;
use crate::commands::image::words::processors;
use crate::output::{Render, Table, View};

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PushResult {
    pub(super) run: RunId,
    pub(super) images: Vec<Row>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    image: String,
    /// Registry, repository and tag.
    name: String,
    digest: String,
    platforms: Option<Vec<String>>,
    /// Whether this run has built it; it was there already otherwise.
    built: bool,
    /// The tag that the services pull, where it is on this image.
    moving_tag: Option<String>,
}

impl Row {
    /// Nothing where the registry has no image of the commit.
    pub(super) fn new(image: &ImageSeen, commit: &str, built: bool) -> Option<Self> {
        let of_commit = image.of_commit.as_ref()?;
        let is_moved = image
            .moving
            .as_ref()
            .is_some_and(|moving| moving.digest == of_commit.digest);
        Some(Self {
            image: image.build.word.to_owned(),
            name: format!("{}:{}", image.repository.uri, image.build.tag(commit)),
            digest: of_commit.digest.clone(),
            platforms: of_commit.platforms.clone(),
            built,
            moving_tag: is_moved.then(|| image.build.moving_tag()),
        })
    }
}

impl Render for PushResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["IMAGE", "DIGEST", "FOR", "STATE", "ALSO", "NAME"]);
        for row in &self.images {
            let short = row
                .name
                .split_once('/')
                .map_or(row.name.as_str(), |(_, name)| name);
            table.row([
                row.image.clone(),
                brief(&row.digest).to_owned(),
                processors(row.platforms.as_deref()),
                if row.built { "pushed" } else { "was there" }.to_owned(),
                row.moving_tag.clone().unwrap_or_else(|| "-".to_owned()),
                short.to_owned(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.images.iter().map(|row| row.name.clone()).collect()
    }
}
