//! Images with a tag in the repositories of both services, and where they run.

use jiff::Timestamp;

use crate::commands::deploy::images::brief;
use crate::commands::get::row::{Found, Row, or_dash};
use crate::commands::get::selector::Tags;
pub(in crate::commands) use crate::commands::image::list::ImageRow;
use crate::commands::image::list::every_image;
use crate::commands::image::words::{processors, size};
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::Gap;
use crate::kinds::Kind;
use crate::output::age_at;

impl Row for ImageRow {
    const KIND: Kind = Kind::Image;
    const COLUMNS: &'static [&'static str] = &["IMAGE", "DIGEST", "AGE", "FOR", "SIZE", "TASKS"];
    const WIDE: &'static [&'static str] = &["TAGS", "RUNS-IN"];
    // The tags of an image are names of it, not pairs of key and value.
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.reference()
    }

    /// By reference, by the name of the repository or the application, by any tag, by digest.
    fn is_called(&self, name: &str) -> bool {
        if name == self.repository || name == self.app.word() || name == self.digest {
            return true;
        }
        let is_tag = |word: &str| self.tags.iter().any(|tag| tag == word);
        // The registry of a whole reference stands before the last slash.
        let path = name.rsplit('/').next().unwrap_or(name);
        if let Some((repository, digest)) = path.split_once('@') {
            return repository == self.repository && digest == self.digest;
        }
        match path.split_once(':') {
            Some((repository, tag)) => repository == self.repository && is_tag(tag),
            None => is_tag(name),
        }
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let tasks: usize = self.runs.values().sum();
        let places: Vec<&str> = self.runs.keys().map(String::as_str).collect();
        vec![
            self.reference(),
            brief(&self.digest).to_owned(),
            age_at(now, self.pushed),
            processors(self.platforms.as_deref()),
            size(self.size_bytes),
            match tasks {
                0 => "-".to_owned(),
                many => many.to_string(),
            },
            or_dash(Some(&self.tags.join(","))),
            or_dash(Some(&places.join(","))),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let (rows, gap) = every_image(ctx, &ctx.layout()?).await?;
        Ok(Found {
            rows,
            gaps: gap
                .iter()
                .map(|error| Gap::new("tasks that run the images", error))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::App;

    #[test]
    fn an_image_is_called_by_reference_tag_digest_and_application() {
        let image = ImageRow::sample(
            App::Backend,
            "bp-backend",
            "sha256:aa",
            &["php-0af12cd", "php-latest"],
        );
        for name in [
            "bp-backend:php-0af12cd",
            "bp-backend:php-latest",
            "php-latest",
            "sha256:aa",
            "bp-backend@sha256:aa",
            "bp-backend",
            "backend",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-latest",
        ] {
            assert!(image.is_called(name), "{name}");
        }
        for name in [
            "frontend",
            "bp-frontend:php-latest",
            "php",
            "bp-backend@sha256:bb",
        ] {
            assert!(!image.is_called(name), "{name}");
        }
        assert_eq!(image.name(), "bp-backend:php-0af12cd");
    }
}
